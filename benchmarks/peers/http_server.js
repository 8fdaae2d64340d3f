// The yardstick for a submit: node:http that reads a JSON body and answers 202.
const http = require('node:http');
const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const job = JSON.parse(Buffer.concat(parts).toString());
    const body = JSON.stringify({id: '01', type: job.type, state: 'queued'});
    response.writeHead(202, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
    });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));

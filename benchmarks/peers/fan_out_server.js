// The yardstick for fan-out: npm's ws. Each POST is told to every client three
// times, as a no-op job is: created, started, succeeded.
const http = require('node:http');
const {WebSocketServer} = require('ws');

const server = http.createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    for (const type of ['job.created', 'job.started', 'job.succeeded'])
      broadcast(type);
    const body = '{"id":"01"}';
    response.writeHead(202, {'Content-Length': body.length});
    response.end(body);
  });
});
const clients = new WebSocketServer({server, perMessageDeflate: false});
const data = {id: '01JDA0000000000000000000', payload: 'x'.repeat(500)};
let offset = 0;

function broadcast(type) {
  const text = JSON.stringify({
    op: 'event', topic: 'jobs', epoch: 'e', offset: ++offset, type,
    time: new Date().toISOString(), data,
  });
  for (const client of clients.clients) client.send(text);
}

clients.on('connection', (client) => {
  client.on('message', () => {
    client.send('{"op":"subscribed","id":1,"topic":"jobs"}');
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));

// BullMQ doing jobs that do nothing: `node bullmq_bench.js MODE PORT COUNT`.
// One JSON line out. Every figure is taken in one process, as an application
// would have it; the worker is another connection of it.
const {Queue, Worker} = require('bullmq');

const [mode, port, count] = [
  process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const connection = {
  host: '127.0.0.1', port, db: 2, maxRetriesPerRequest: null};
const in_flight = 100;
const queue = new Queue('bench', {connection});

function seconds_since(begun) {
  return Number(process.hrtime.bigint() - begun) / 1e9;
}

// Adds `count` jobs, so many at a time; latencies in ms.
async function add_all(width, latencies = []) {
  let left = count;
  const lane = async () => {
    while (left-- > 0) {
      const begun = process.hrtime.bigint();
      await queue.add('noop', {});
      latencies.push(seconds_since(begun) * 1000);
    }
  };
  await Promise.all(Array.from({length: width}, lane));
  return latencies.sort((a, b) => a - b);
}

async function add_bulk() {
  for (let left = count; left > 0; left -= 1000)
    await queue.addBulk(
      Array.from({length: Math.min(left, 1000)},
                 () => ({name: 'noop', data: {}})));
}

function work() {
  let ended = 0;
  return new Promise((resolve) => {
    const worker = new Worker('bench', async () => ({}),
                              {connection, concurrency: in_flight});
    worker.on('completed', () => {
      if (++ended === count) resolve(worker);
    });
  });
}

function share(sorted, part) {
  return sorted[Math.floor((sorted.length - 1) * part)];
}

const modes = {
  // Adds, 100 in flight.
  async submit() {
    const begun = process.hrtime.bigint();
    await add_all(in_flight);
    return {per_s: count / seconds_since(begun)};
  },
  // Adds of 1,000 at once.
  async bulk() {
    const begun = process.hrtime.bigint();
    await add_bulk();
    return {per_s: count / seconds_since(begun)};
  },
  // One add after the other.
  async latency() {
    const sorted = await add_all(1);
    return {p50_ms: share(sorted, 0.5), p99_ms: share(sorted, 0.99)};
  },
  // From the first add to the end of the last job, adding meanwhile.
  async end_to_end() {
    const begun = process.hrtime.bigint();
    const [worker] = await Promise.all([work(), add_all(in_flight)]);
    const per_s = count / seconds_since(begun);
    await worker.close();
    return {per_s, memory_mb: process.memoryUsage.rss() / 2 ** 20};
  },
  // The same, added 1,000 at a time.
  async end_to_end_bulk() {
    const begun = process.hrtime.bigint();
    const [worker] = await Promise.all([work(), add_bulk()]);
    const per_s = count / seconds_since(begun);
    await worker.close();
    return {per_s};
  },
  // From the worker's start to the end of the last of jobs added before.
  async drain() {
    await add_bulk();
    const begun = process.hrtime.bigint();
    const worker = await work();
    const per_s = count / seconds_since(begun);
    await worker.close();
    return {per_s};
  },
};

(async () => {
  await queue.waitUntilReady();
  await queue.obliterate({force: true});
  const figures = await modes[mode]();
  await queue.obliterate({force: true});
  await queue.close();
  console.log(JSON.stringify(figures));
  process.exit(0);
})();

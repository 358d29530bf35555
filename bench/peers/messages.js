// Messages to a worker of Node's cluster and back: messages.js SIZE IN_FLIGHT SECONDS
// SPDX-License-Identifier: BSL-1.0
'use strict';
const cluster = require('node:cluster');

const [size, inFlight, seconds] = process.argv.slice(2).map(Number);

if (cluster.isWorker) {
  process.on('message', (message) => process.send(message));
} else {
  const body = 'x'.repeat(size);
  const worker = cluster.fork();
  let cameBack = 0;
  worker.on('message', (message) => {
    if (message.length === size) ++cameBack;
    worker.send(body);
  });
  worker.on('online', () => {
    const begin = process.hrtime.bigint();
    for (let i = 0; i < inFlight; ++i) worker.send(body);
    setTimeout(() => {
      const time = Number(process.hrtime.bigint() - begin) / 1e9;
      console.log(JSON.stringify({ round_trips: cameBack, per_second: cameBack / time }));
      worker.process.kill('SIGKILL');
      process.exit(0);
    }, seconds * 1000);
  });
}

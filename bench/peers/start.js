// From fork, and from a worker's death, to a worker of Node's cluster that listens: start.js WORKERS
// SPDX-License-Identifier: BSL-1.0
'use strict';
const cluster = require('node:cluster');
const http = require('node:http');

const workers = Number(process.argv[2]);

function listening() {
  return new Promise((resolve) => cluster.once('listening', (worker) => resolve(worker)));
}

async function measure() {
  const forks = [];
  const replacements = [];
  const first = [];
  const since = (begin) => Number(process.hrtime.bigint() - begin) / 1e6;
  for (let i = 0; i < workers; ++i) {
    const begin = process.hrtime.bigint();
    cluster.fork();
    first.push(await listening());
    forks.push(since(begin));
  }
  cluster.on('exit', () => cluster.fork());
  for (const worker of first) {
    const begin = process.hrtime.bigint();
    worker.process.kill('SIGKILL');
    await listening();
    replacements.push(since(begin));
  }
  console.log(JSON.stringify({ fork_ms: forks, replace_ms: replacements }));
  process.exit(0);
}

if (cluster.isWorker) {
  http.createServer((request, response) => response.end('hello')).listen(0, '127.0.0.1');
} else {
  measure();
}

// The benchmark's server with Node's cluster: http.js round_robin|none WORKERS. It answers what
// service.hpp says, prints what bench_server prints, and ends with its standard input.
// SPDX-License-Identifier: BSL-1.0
'use strict';
const cluster = require('node:cluster');
const http = require('node:http');

const [policy, workers] = process.argv.slice(2);

function numberAfter(name, url) {
  return Number(url.slice(url.indexOf(name) + name.length));
}

function work(url) {
  if (url.startsWith('/work?')) {
    const end = process.hrtime.bigint() + BigInt(numberAfter('us=', url)) * 1000n;
    while (process.hrtime.bigint() < end);
  } else if (url.startsWith('/block?')) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, numberAfter('ms=', url));
  }
}

if (cluster.isWorker) {
  http
    .createServer((request, response) => {
      if (request.url !== '/') work(request.url);
      response.setHeader('Worker', process.pid);
      response.setHeader('Content-Length', 5);
      response.end('hello');
    })
    .listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
} else {
  cluster.schedulingPolicy = policy === 'none' ? cluster.SCHED_NONE : cluster.SCHED_RR;
  const listening = [];
  cluster.on('listening', (worker, address) => {
    listening.push(worker.process.pid);
    if (listening.length < Number(workers)) return;
    console.log(JSON.stringify({ port: address.port, primary: process.pid, workers: listening }));
  });
  for (let i = 0; i < Number(workers); ++i) cluster.fork();
  process.stdin.on('end', () => {
    for (const id in cluster.workers) cluster.workers[id].process.kill('SIGKILL');
    process.exit(0);
  });
  process.stdin.resume();
}

#!/usr/bin/env node
// `sluice`: what a person does from a shell. Eject gives workloads back with nobody of ours alive,
// adopt proposes a Rollout for one that is there.

// First, since it mends what the modules after it need.
import './older-node.ts'
import { argv, env } from 'node:process'

import { run } from './run.ts'

process.exitCode = await run(argv.slice(2), {
  env,
  print: text => void process.stdout.write(`${text}\n`),
  complain: text => void process.stderr.write(`${text}\n`),
})

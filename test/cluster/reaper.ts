// Waits for the program that started a cluster to end, however it ends, and then removes the
// cluster: not even SIGKILL leaves something behind. The end of the standard input is the sign,
// and the word `keep` before it says that the cluster shall stay.

import { text } from 'node:stream/consumers'

import { removeCluster } from './cluster-folder.ts'

const dir = process.argv[2]
if (dir === undefined) throw new Error('usage: reaper.ts <folder of a cluster>')
if ((await text(process.stdin)) !== 'keep') await removeCluster(dir)

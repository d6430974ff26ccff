// Node 20 lacks two functions that undici, which the client library loads whole, takes hold of while it
// loads. Neither is called for what this program does: no answer is compressed, and nothing is sent to
// another thread.

import threads from 'node:worker_threads'
import zlib from 'node:zlib'

lend(zlib, 'createZstdDecompress')
lend(threads, 'markAsUncloneable')

function lend(module: object, name: string): void {
  if (!Reflect.has(module, name)) Reflect.set(module, name, () => {})
}

// Cuts a watch's byte stream into its JSON lines. The network splits anywhere, inside a character
// too, so bytes are joined first and decoded by whole lines.

/** Longest line; an object is at most 1.5 MiB in etcd, and JSON makes it a few times larger. */
const MAX_LINE_BYTES = 64 * 1024 * 1024

/** Gives each non-empty line; throws where the stream ends inside a line or a line is too long. */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      pending.push(chunk.subarray(start, end))
      const line = Buffer.concat(pending).toString('utf8').trim()
      pending = []
      pendingBytes = 0
      start = end + 1
      if (line !== '') yield line
    }
    pending.push(chunk.subarray(start))
    pendingBytes += chunk.length - start
    if (pendingBytes > MAX_LINE_BYTES) throw new BrokenFrame(`a line above ${MAX_LINE_BYTES} bytes`)
  }
  // The last line may lack its newline if it is whole; half a frame is not JSON and must be seen.
  const rest = Buffer.concat(pending).toString('utf8').trim()
  if (rest !== '') throw new BrokenFrame(`the stream ended inside a line: ${rest.slice(0, 80)}`)
}

/** A watch stream that is not a sequence of JSON lines. */
export class BrokenFrame extends Error {
  override readonly name = 'BrokenFrame'
}

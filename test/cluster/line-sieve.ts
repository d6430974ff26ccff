// Loses chosen lines of a stream of bytes: a watch that does not tell everything.

const newline = '\n'.codePointAt(0)!

/** A stream's sieve; as it is made it lets everything through. */
export class Sieve {
  /** Whether a line gets through. While it is undefined bytes go as they come, lines or not. */
  passes: ((line: string) => boolean) | undefined
  /** A line has begun that nobody judges, since its beginning is through. */
  #within = false
  /** The beginning of a line that is still to be judged. */
  #rest: Buffer = Buffer.alloc(0)

  /** What gets through of these bytes, and of a line that had begun before. */
  sift(chunk: Buffer): Buffer {
    if (!this.passes) return this.#through(Buffer.concat([this.#rest, chunk]))
    const begun = this.#within ? chunk.indexOf(newline) + 1 || chunk.length : 0
    const through = begun > 0 ? this.#through(chunk.subarray(0, begun)) : chunk.subarray(0, 0)
    return Buffer.concat([through, this.#judged(chunk.subarray(begun), this.passes)])
  }

  #through(bytes: Buffer): Buffer {
    this.#rest = Buffer.alloc(0)
    this.#within = bytes.at(-1) !== newline
    return bytes
  }

  #judged(bytes: Buffer, passes: (line: string) => boolean): Buffer {
    const all = Buffer.concat([this.#rest, bytes])
    const end = all.lastIndexOf(newline) + 1
    this.#rest = all.subarray(end)
    const lines = all.subarray(0, end).toString('utf8').split('\n').slice(0, -1)
    return Buffer.from(
      lines
        .filter(passes)
        .map(line => `${line}\n`)
        .join(''),
    )
  }
}

// Log lines of our processes for people: time, who, what, and the rest as key=value.

import pretty from 'pino-pretty'

/** A function that writes each JSON line readably; other lines pass as they are. */
export function readableLog(out: NodeJS.WritableStream): (line: string) => void {
  const format = pretty.prettyFactory({
    colorize: false,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname',
    singleLine: true,
  })
  return line => void out.write(line.startsWith('{') ? format(line) : `${line}\n`)
}

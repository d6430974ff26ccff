// The API server's account of what it was asked, while it goes on writing it.

import { readFile } from 'node:fs/promises'

/** The lines that are there as a whole, without the one that is being written. */
export async function auditLines(auditLog: string): Promise<readonly string[]> {
  return (await readFile(auditLog, 'utf8')).split('\n').slice(0, -1)
}

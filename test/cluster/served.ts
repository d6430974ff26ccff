// A definition of resources is accepted, then established, then its objects can be asked for.

import { kubectl } from './commands.ts'
import type { CommandTarget } from './commands.ts'
import { eventually } from './eventually.ts'

/** Waits until objects can be asked for. `kubectl wait` is an error while a definition has no conditions yet. */
export async function untilServed(target: CommandTarget, resource: string): Promise<void> {
  await eventually(() => kubectl(target, ['get', resource, '--namespace=default']))
}

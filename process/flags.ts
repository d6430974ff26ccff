// What can be said to a program: flags that `parseArgs` reads, `--help` tells, and the docs list.

/** A flag. */
export interface Flag {
  readonly type: 'string' | 'boolean'
  readonly default?: string | boolean
  /** What stands after it, such as `NAME` or `yes|no`; undefined where nothing does. */
  readonly value?: string
  /** What it means, without a full stop. */
  readonly help: string
}

/** All flags of a program, by name. */
export type Flags = Readonly<Record<string, Flag>>

/** A program, for who asks what it is. */
export interface Program {
  readonly name: string
  /** How it is started, where that is not by its name. */
  readonly command?: string
  /** A sentence or two, in lines. */
  readonly about: string
  readonly flags: Flags
}

/** Whether somebody asks what can be said instead of saying it. */
export function asksForHelp(args: readonly string[]): boolean {
  return args.some(arg => arg === '--help' || arg === '-h')
}

/** The answer: what it is for, and a line for each flag. */
export function helpOf({ name, command = name, about, flags }: Program): string {
  const rows = Object.entries(flags).map(([flag, { value, help, ...rest }]) => {
    const given = value === undefined ? `--${flag}` : `--${flag} ${value}`
    return { given, help: `${help}${defaultIn(rest)}` }
  })
  const width = Math.max(...rows.map(({ given }) => given.length))
  const lines = rows.map(({ given, help }) => `  ${given.padEnd(width)}   ${help}\n`)
  return `${command} [FLAG...]\n    ${about.replaceAll('\n', '\n    ')}\n\n${lines.join('')}`
}

function defaultIn(flag: Pick<Flag, 'default'>): string {
  return flag.default ? ` (${flag.default} unless given)` : ''
}

// A rule of the product, and how to take it out of the source.

/** `text` stands in `file` once; with `instead` there, some of `test` must fail. */
export type Rule = readonly [
  rule: string,
  file: string,
  text: string,
  instead: string,
  test: string,
]

// `node charts/generate.ts`: writes what is generated of the chart. A test proves that it is fresh.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { CHART, generated } from './generated.ts'

for (const [path, text] of Object.entries(generated())) writeFileSync(join(CHART, path), text)

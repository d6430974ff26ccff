// Writes what is generated of the chart.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { CHART, generated } from './generated.ts'

for (const [path, text] of Object.entries(generated())) writeFileSync(join(CHART, path), text)

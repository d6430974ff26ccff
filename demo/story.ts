// The story: seed manifests, the first edit step by step, then one that is rolled back half-way.

import { fileURLToPath } from 'node:url'

import type { Stage } from './stage.ts'

/** Plays the story. Throws what was claimed and is not true. */
export async function play(stage: Stage): Promise<void> {
  await prepare(stage)
  await release(stage)
  await rollBack(stage)
  stage.say('\nAll of this was read back from the API server, and was as claimed.')
}

async function prepare(stage: Stage): Promise<void> {
  heading(stage, 'A Deployment that is there already, and a Rollout for it')
  await stage.run('apply', '-f', manifest('deployment.yaml'))
  await stage.until('10 Ready pods', async () => stage.pods().ready === 10)
  await stage.run('apply', '-f', manifest('rollout.yaml'))
  await phase(stage, 'Healthy')
  await look(stage)
  stage.say('\n  Nothing is being released. The Rollout waits for the next edit.')
}

async function release(stage: Stage): Promise<void> {
  heading(stage, 'An ordinary edit: it stops after 1 pod')
  stage.fewestReady()
  await edit(stage, 'version-2')
  await reached(stage, { step: 1, version: 'version-2', pods: 1 })
  await look(stage)
  stage.say('\n  AVAILABLE leaves the new pod out on purpose: that is what holds the edit.')

  await approve(stage, 'Let step 2 begin?')
  await reached(stage, { step: 2, version: 'version-2', pods: 5 })
  await look(stage)

  await approve(stage, 'Let everybody have the new version?')
  stage.say("\n  Step 3 is 100%, the end: the Deployment's own strategy takes the rest.")
  await phase(stage, 'Healthy')
  await stage.until('10 new pods', async () => stage.pods().readyOf('version-2') === 10)
  await stage.run('-n', 'default', 'rollout', 'status', 'deployment/workload-demo')
  await look(stage)
  keepsPromise(stage)
}

async function rollBack(stage: Stage): Promise<void> {
  heading(stage, 'A second edit that nobody likes: the old template returns half-way')
  await edit(stage, 'version-3')
  await reached(stage, { step: 1, version: 'version-3', pods: 1 })
  await approve(stage, 'Let step 2 begin?')
  await reached(stage, { step: 2, version: 'version-3', pods: 5 })
  const before = stage.mostPods('version-3')

  await stage.ask('Roll back?')
  await edit(stage, 'version-2')
  await phase(stage, 'Healthy')
  await look(stage)
  const { status } = await stage.rollout()
  const succeeded = status?.conditions?.find(({ type }) => type === 'Succeeded')
  claim(succeeded?.status === 'False', 'condition Succeeded=False after the rollback')
  await stage.until('no pod of version-3', async () => stage.pods().readyOf('version-3') === 0)
  claim(stage.mostPods('version-3') === before, 'no new pod of version-3 after the rollback')
  keepsPromise(stage)
}

async function edit(stage: Stage, version: string): Promise<void> {
  const containers = [{ name: 'busybox', env: [{ name: 'VERSION', value: version }] }]
  const patch = { spec: { template: { spec: { containers } } } }
  await stage.run(
    '-n',
    'default',
    'patch',
    'deployment',
    'workload-demo',
    '-p',
    JSON.stringify(patch),
  )
}

async function approve(stage: Stage, question: string): Promise<void> {
  await stage.ask(question)
  const patch = { status: { canaryStatus: { currentStepState: 'StepReady' } } }
  const args = ['--subresource=status', '--type=merge', '-p', JSON.stringify(patch)]
  await stage.run('-n', 'default', 'patch', 'rollout', 'rollouts-demo', ...args)
}

async function look(stage: Stage): Promise<void> {
  await stage.run('-n', 'default', 'get', 'deployment,replicaset')
  await stage.run(
    '-n',
    'default',
    'get',
    'rollout',
    'rollouts-demo',
    '-o',
    `custom-columns=${columns}`,
  )
  const { status } = await stage.rollout()
  stage.say(`  ${status?.conditions?.find(({ type }) => type === 'Ready')?.message}`)
}

/** The command that goes on is in the message: below the table it does not break the columns. */
const columns = 'STATUS:.status.phase,STEP:.status.currentStepIndex,STATE:.status.currentStepState'

interface Stop {
  readonly step: number
  readonly version: string
  readonly pods: number
}

async function reached(stage: Stage, { step, version, pods }: Stop): Promise<void> {
  await stage.until(`step ${step} with ${pods} new pods`, async () => {
    const { status } = await stage.rollout()
    const { currentStepIndex, currentStepState } = status?.canaryStatus ?? {}
    const isThere = currentStepIndex === step && currentStepState === 'StepPaused'
    // The watch that counts pods has a pace of its own.
    return isThere && stage.pods().readyOf(version) === pods
  })
  const { ready } = stage.pods()
  stage.say(`\n  step ${step}: ${pods} of 10 pods are new, ${ready} are Ready`)
}

async function phase(stage: Stage, wanted: string): Promise<void> {
  await stage.until(`phase ${wanted}`, async () => {
    const { metadata, status } = await stage.rollout()
    return status?.phase === wanted && status.observedGeneration === metadata.generation
  })
}

/** The Deployment's own strategy is 25%: of 10 pods at least 8 are Ready at every moment. */
function keepsPromise(stage: Stage): void {
  const fewest = stage.fewestReady()
  claim(fewest >= 8, `never fewer than 8 Ready pods, found ${fewest}`)
  stage.say(
    `\n  At every moment at least ${fewest} of 10 pods were Ready; the strategy promises 8.`,
  )
}

function claim(fact: boolean, expected: string): void {
  if (!fact) throw new Error(`expected ${expected}`)
}

function heading(stage: Stage, text: string): void {
  stage.say(`\n== ${text}`)
}

function manifest(file: string): string {
  return fileURLToPath(new URL(`manifests/${file}`, import.meta.url))
}

/**
 * dive.ts BASE_URL: a `.dive-ci` with dive's default rules, asked of every image of the corpus, gives the verdict that
 * dive's own figures give. Last line: 'N passed, N failed'.
 */
import { readFile } from 'node:fs/promises'

const LOWEST_EFFICIENCY = 0.9
const HIGHEST_USER_WASTED = 0.1

const base = process.argv[2]
const truth = process.env.CORPUS_TRUTH
if (base === undefined || truth === undefined) throw new Error('dive.ts BASE_URL, in the corpus')

let passed = 0
let failed = 0
for (const line of (await readFile(`${truth}/images.list`, 'utf8')).trim().split('\n')) {
  const [image = '', platform] = line.split(' ')
  const folder = image.slice(image.indexOf('/') + 1) + (platform ? `@${platform}` : '')
  const { dive } = JSON.parse(await readFile(`${truth}/${folder.replace(/[/:]/g, '_')}/summary.json`, 'utf8'))
  const { score, wastedUserPercent } = dive
  const want = score >= LOWEST_EFFICIENCY && (wastedUserPercent ?? 0) <= HIGHEST_USER_WASTED
  const answer = await fetch(`${base}/v1/check`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ image, ...(platform ? { platform } : {}), diveCi: 'rules: {}' }),
  })
  const { pass } = await answer.json()
  if (pass === want && answer.status === (want ? 200 : 412)) passed++
  else {
    failed++
    console.log(
      `  FAIL ${line}: ${answer.status}, pass ${pass}, dive says ${want} (${score}, ${wastedUserPercent})`,
    )
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)

/**
 * economy.ts BASE_URL: asks a fresh service about images of the corpus and counts, by the statistics of the corpus' own
 * blob and token servers, what that cost the registry. Last line: 'N passed, N failed'.
 */
const base = process.argv[2]
const { CORPUS_REGISTRY_REDIRECT: redirect, CORPUS_REGISTRY_TOKEN: token } = process.env
if (base === undefined || redirect === undefined || token === undefined)
  throw new Error('economy.ts BASE_URL, in the corpus')
const port = Number(redirect.split(':')[1])
const [blobServer, tokenServer] = [`http://127.0.0.1:${port + 2}/stats`, `http://127.0.0.1:${port + 3}/stats`]

let passed = 0
let failed = 0
function same(what: string, got: unknown, want: unknown): void {
  if (JSON.stringify(got) === JSON.stringify(want)) {
    passed++
    return
  }
  failed++
  console.log(`  FAIL ${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`)
}

const json = async (url: string) => (await fetch(url)).json()
const report = (image: string) => json(`${base}/v1/report?wait=120&image=${image}`)
const blobBytes = async (): Promise<number> => (await json(blobServer)).bytes
const tokens = async (): Promise<number> => (await json(tokenServer)).tokens

type Descriptor = { digest: string; size: number }
async function blobsOf(tag: string): Promise<Map<string, number>> {
  const accept = 'application/vnd.docker.distribution.manifest.v2+json'
  const answer = await fetch(`http://${redirect}/v2/app/manifests/${tag}`, { headers: { accept } })
  const { config, layers }: { config: Descriptor; layers: Descriptor[] } = await answer.json()
  return new Map([config, ...layers].map(({ digest, size }) => [digest, size]))
}
const sum = (sizes: Iterable<number>) => [...sizes].reduce((all, size) => all + size, 0)

const [first, second] = [await blobsOf('v1'), await blobsOf('v2')]
let before = await blobBytes()
const answers = await Promise.all(Array.from({ length: 20 }, () => report(`${redirect}/app:v1`)))
same(
  '20 requests at once are all answered',
  answers.filter((answer) => answer.counts?.layers === 8).length,
  20,
)
same('20 requests at once read each blob once', (await blobBytes()) - before, sum(first.values()))
before = await blobBytes()
await report(`${redirect}/app:v2`)
const fresh = [...second].filter(([digest]) => !first.has(digest)).map(([, size]) => size)
same('the next tag reads only what is new', (await blobBytes()) - before, sum(fresh))
before = await blobBytes()
await report(`${redirect}/app:v2`)
same('the same image again reads nothing', (await blobBytes()) - before, 0)

const tokensBefore = await tokens()
await Promise.all(Array.from({ length: 50 }, () => report(`${token}/busybox:gzip`)))
same('a burst of 50 requests asks for one token', (await tokens()) - tokensBefore, 1)

console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)

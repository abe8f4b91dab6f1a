/** The rehearsal of a whole request, for both hosts. */
import { createApp, type Parts } from '../src/http/app.ts'
import { rehearsalService, type Stage } from '../src/service/rehearsal.ts'
import { REHEARSAL_REPOSITORY } from '../src/service/rehearsal-image.ts'

/** A first report of the image, from an app that nobody else asks. */
export async function rehearseReport(stage: Stage, parts: Parts = {}): Promise<Response> {
  const app = createApp(rehearsalService(stage), { ...parts, log: () => {} })
  const image = `${stage.registry}/${REHEARSAL_REPOSITORY}`
  const answer = await app.request(`/v1/report?wait=60&image=${image}`, {
    headers: { 'Accept-Encoding': 'gzip' },
    signal: stage.signal,
  })
  return new Response(await answer.arrayBuffer(), answer)
}

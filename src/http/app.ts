/** The service as one function from a request to an answer: all routes and pages. */

import type { Service } from '../open/service.ts'
import type { Assets } from '../pages/assets.ts'
import type { Problem } from '../problem.ts'
import type { App, Backend, RequestContext } from './backend.ts'
import { type BackendParts, createBackend, createFrame, type FrameParts } from './frame.ts'
import { addImageRoutes } from './image-routes.ts'
import { problemAnswer } from './problem-answer.ts'
import { addAdvice } from './routes/advice.ts'
import { addAnalyses } from './routes/analyses.ts'
import { addAttached } from './routes/attached.ts'
import { addAttachedContent } from './routes/attached-content.ts'
import { addBadges } from './routes/badge.ts'
import { addBase } from './routes/base.ts'
import { addCheck, CHECK_PATH, checkProblem } from './routes/check.ts'
import { addCompression } from './routes/compression.ts'
import { addDescription } from './routes/description.ts'
import { addDiff } from './routes/diff.ts'
import { addDiffFile } from './routes/diff-file.ts'
import { addDiffInside } from './routes/diff-inside.ts'
import { addHealth } from './routes/health.ts'
import { addImages } from './routes/images.ts'
import { addMcp } from './routes/mcp.ts'
import { addPages } from './routes/pages.ts'
import { addRegistry } from './routes/registry.ts'
import { addSizes } from './routes/sizes.ts'
import { addStorage } from './routes/storage.ts'
import { addUpdate } from './routes/update.ts'
import { addUpdates } from './routes/updates.ts'
import { addUploads } from './routes/uploads.ts'
import { addWebhooks } from './routes/webhooks.ts'
import { Sessions } from './session.ts'

export type AppParts = Pick<FrameParts, 'first'> & {
  /** The files that pages load; none by default. */
  readonly assets?: Assets
}

export type Parts = BackendParts & AppParts

export function createApp(service: Service, parts: Parts = {}): App {
  return appOf(createBackend(service, parts), parts)
}

export function appOf(backend: Backend, { first, assets = async () => undefined }: AppParts = {}): App {
  const sessions = new Sessions(backend.host.configuration)
  const app = createFrame(backend, sessions, { first, answerProblem })
  addImageRoutes(app, backend)
  addOtherRoutes(app, backend)
  addPages(app, backend, { assets, sessions })
  return app
}

/** In the order of the documentation, after those of an image. */
function addOtherRoutes(app: App, backend: Backend): void {
  addDiff(app, backend)
  addDiffFile(app, backend)
  addUpdate(app, backend)
  addUpdates(app, backend)
  addDiffInside(app, backend)
  addAdvice(app, backend)
  addCheck(app, backend)
  addBadges(app, backend)
  addRegistry(app, backend)
  addImages(app, backend)
  addStorage(app, backend)
  addSizes(app, backend)
  addCompression(app, backend)
  addBase(app, backend)
  addAttached(app, backend)
  addAttachedContent(app, backend)
  addAnalyses(app, backend)
  addWebhooks(app, backend)
  addUploads(app, backend)
  addHealth(app, backend)
  addDescription(app)
  addMcp(app, backend)
}

function answerProblem(c: RequestContext, problem: Problem): Response | Promise<Response> {
  return c.req.path === CHECK_PATH ? checkProblem(c, problem) : problemAnswer(c, problem)
}

/** The routes that say what is inside one image: a command that asks one of them loads no others. */
import type { App, Backend } from './backend.ts'
import { addConfig } from './routes/config.ts'
import { addExport } from './routes/export.ts'
import { addFile } from './routes/file.ts'
import { addFiles } from './routes/files.ts'
import { addInside } from './routes/inside.ts'
import { addPackages } from './routes/packages.ts'
import { addReport } from './routes/report.ts'
import { addTree } from './routes/tree.ts'
import { addWaste } from './routes/waste.ts'

/** In the order of the documentation: what readers look for most comes first. */
export function addImageRoutes(app: App, backend: Backend): void {
  addReport(app, backend)
  addFiles(app, backend)
  addTree(app, backend)
  addFile(app, backend)
  addInside(app, backend)
  addExport(app, backend)
  addWaste(app, backend)
  addPackages(app, backend)
  addConfig(app, backend)
}

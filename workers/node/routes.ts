/** Names the route of a request in metrics: a label with few values, taken from the routes that the app has. */
import type { App } from '../../src/http/backend.ts'

type Pattern = { readonly parts: readonly string[]; readonly label: string }

/** @returns the label of a path: `/v1/analyses/{id}`; `other` if no route has it */
export function routeLabels(app: App): (path: string) => string {
  const paths = new Set(app.routes.map(({ path }) => path).filter((path) => !path.includes('*')))
  const patterns = [...paths]
    .filter((path) => path.includes('/:'))
    .map((path): Pattern => ({ parts: path.split('/'), label: path.replace(/:(\w+)/g, '{$1}') }))
  return (path) => {
    if (paths.has(path)) return path
    const parts = path.split('/')
    const found = patterns.find((pattern) => matches(pattern.parts, parts))
    if (found === undefined) return 'other'
    // One route serves both forms of a badge.
    if (path.startsWith('/badge/'))
      return path.endsWith('.json') ? '/badge/{metric}.json' : '/badge/{metric}.svg'
    return found.label
  }
}

function matches(pattern: readonly string[], parts: readonly string[]): boolean {
  return (
    pattern.length === parts.length && pattern.every((part, i) => part.startsWith(':') || part === parts[i])
  )
}

/** The directories that say most about a diff: what a reader wants to know first, with each byte counted once. */
import type { DirectoryChange } from '../diff/directories.ts'

/** How much of a directory's growth its subdirectories must account for to be shown in its place. */
const ACCOUNTED = 0.75

type ChangeNode = { readonly directory: DirectoryChange | undefined; readonly children: ChangeNode[] }

/**
 * A directory that only grew or only shrank, or in which no part stands out, is one line; otherwise its subdirectories take its
 * place.
 *
 * @param directories as in a diff: each includes the directories below it
 * @returns some of them, none within another, largest first
 */
export function tellingDirectories(directories: readonly DirectoryChange[]): DirectoryChange[] {
  return treeOf(directories)
    .children.flatMap(tell)
    .sort((a, b) => Math.abs(b.delta) - Math.abs(a.delta))
}

function tell({ directory, children }: ChangeNode): DirectoryChange[] {
  if (directory === undefined) return children.flatMap(tell)
  const accounted = children.reduce((sum, child) => sum + (child.directory?.delta ?? 0), 0)
  const rest = Math.abs(directory.delta - accounted)
  if (isUniform(directory) || rest > (1 - ACCOUNTED) * Math.abs(directory.delta)) return [directory]
  return children.flatMap(tell)
}

function isUniform({ added, removed, modified }: DirectoryChange): boolean {
  return modified === 0 && (added === 0 || removed === 0)
}

/** Groups each below the nearest of the others that contains it. */
function treeOf(directories: readonly DirectoryChange[]): ChangeNode {
  const root: ChangeNode = { directory: undefined, children: [] }
  const above: ChangeNode[] = [root]
  const place = (path: string): string => `${path}/`
  const inOrder = directories.toSorted((a, b) => (place(a.path) < place(b.path) ? -1 : 1))
  for (const directory of inOrder) {
    while (!holds(above.at(-1)?.directory, directory)) above.pop()
    const node: ChangeNode = { directory, children: [] }
    above.at(-1)?.children.push(node)
    above.push(node)
  }
  return root
}

function holds(above: DirectoryChange | undefined, below: DirectoryChange): boolean {
  return above === undefined || below.path.startsWith(`${above.path}/`)
}

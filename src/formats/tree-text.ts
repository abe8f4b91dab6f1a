/** A directory's sizes: in a terminal like `tree` and `du` combined, in Markdown as a list. */
import type { TreeNode } from '../image/tree.ts'
import { formatBytes, formatCount } from '../text/format.ts'
import { markdownCode, terminalLine, terminalText } from './escape.ts'
import { fitted, type TextStyle } from './table.ts'

const WIDTH = 80
/** `85.4 MB`, with room for `1,000 kB`. */
const SIZE = 8
const LEAST_NAME = 12
const BLUE = '\x1b[1;34m'
const RESET = '\x1b[0m'

type Branch = { readonly node: TreeNode; readonly prefix: string; readonly below: string }

/** What a directory has besides the children that are shown. */
type Rest = { readonly bytes: number; readonly files: number }

type Line = { readonly prefix: string } & ({ readonly node: TreeNode } | { readonly rest: Rest })

export function treeText(
  subject: string,
  root: TreeNode,
  { colour, width = WIDTH }: TextStyle = { colour: false },
): string {
  const lines = [fitted(terminalText(subject), width)]
  for (const branch of branches({ node: root, prefix: '', below: '' })) {
    const { prefix } = branch
    if ('rest' in branch) {
      lines.push(`${formatBytes(branch.rest.bytes).padStart(SIZE)}  ${prefix}… ${more(branch.rest)}`)
      continue
    }
    const { node } = branch
    const isDirectory = node.type === 'directory'
    const room = Math.max(width - SIZE - 2 - prefix.length, LEAST_NAME)
    const name = fitted(`${nameOf(node, root)}${isDirectory ? '/' : ''}`, room)
    const shown = colour && isDirectory ? `${BLUE}${name}${RESET}` : name
    lines.push(`${formatBytes(node.bytes).padStart(SIZE)}  ${prefix}${shown}`)
  }
  lines.push('', `${formatCount(root.files)} ${root.files === 1 ? 'file' : 'files'}`)
  return lines.map((line) => `${terminalLine(line)}\n`).join('')
}

function* branches({ node, prefix, below }: Branch): Generator<Line> {
  yield { node, prefix }
  const { children = [] } = node
  const rest = restOf(node)
  for (const [i, child] of children.entries()) {
    const isLast = i === children.length - 1 && rest === undefined
    yield* branches({
      node: child,
      prefix: `${below}${isLast ? '└── ' : '├── '}`,
      below: `${below}${isLast ? '    ' : '│   '}`,
    })
  }
  if (rest !== undefined) yield { rest, prefix: `${below}└── ` }
}

function restOf({ children, ...node }: TreeNode): Rest | undefined {
  if (children === undefined) return undefined
  const sum = (of: (child: TreeNode) => number) => children.reduce((all, child) => all + of(child), 0)
  const files = node.files - sum((child) => child.files)
  return files > 0 ? { bytes: node.bytes - sum((child) => child.bytes), files } : undefined
}

function more({ files }: Rest): string {
  return `${formatCount(files)} more ${files === 1 ? 'file' : 'files'}`
}

/** The root by its whole path, everything else by its last part. */
function nameOf({ path }: TreeNode, root: TreeNode): string {
  if (path === '') return ''
  return terminalText(path === root.path ? path : path.slice(path.lastIndexOf('/') + 1))
}

export function treeMarkdown(subject: string, root: TreeNode): string {
  const items = [...branches({ node: root, prefix: '', below: '' })].map((branch) => {
    const indent = '  '.repeat(branch.prefix.length / 4)
    if ('rest' in branch) return `${indent}- ${formatBytes(branch.rest.bytes)} in ${more(branch.rest)}`
    const { node } = branch
    const name = node.path === '' ? '/' : node.path.slice(node === root ? 0 : node.path.lastIndexOf('/') + 1)
    const shown = markdownCode(node.type === 'directory' && node.path !== '' ? `${name}/` : name)
    return `${indent}- ${formatBytes(node.bytes)} ${shown}`
  })
  const count = `${formatCount(root.files)} ${root.files === 1 ? 'file' : 'files'}`
  return `### ${formatBytes(root.bytes)} in ${count}\n\n${markdownCode(subject)}\n\n${items.join('\n')}\n`
}

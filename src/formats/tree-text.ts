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

export function treeText(
  subject: string,
  root: TreeNode,
  { colour, width = WIDTH }: TextStyle = { colour: false },
): string {
  const lines = [fitted(terminalText(subject), width)]
  for (const { node, prefix } of branches({ node: root, prefix: '', below: '' })) {
    const isDirectory = node.type === 'directory'
    const room = Math.max(width - SIZE - 2 - prefix.length, LEAST_NAME)
    const name = fitted(`${nameOf(node, root)}${isDirectory ? '/' : ''}`, room)
    const shown = colour && isDirectory ? `${BLUE}${name}${RESET}` : name
    lines.push(`${formatBytes(node.bytes).padStart(SIZE)}  ${prefix}${shown}`)
  }
  lines.push('', `${formatCount(root.files)} ${root.files === 1 ? 'file' : 'files'}`)
  return lines.map((line) => `${terminalLine(line)}\n`).join('')
}

function* branches(branch: Branch): Generator<Branch> {
  yield branch
  const { node, below } = branch
  const { children = [] } = node
  for (const [i, child] of children.entries()) {
    const isLast = i === children.length - 1
    yield* branches({
      node: child,
      prefix: `${below}${isLast ? '└── ' : '├── '}`,
      below: `${below}${isLast ? '    ' : '│   '}`,
    })
  }
}

/** The root by its whole path, everything else by its last part. */
function nameOf({ path }: TreeNode, root: TreeNode): string {
  if (path === '') return ''
  return terminalText(path === root.path ? path : path.slice(path.lastIndexOf('/') + 1))
}

export function treeMarkdown(subject: string, root: TreeNode): string {
  const items = [...branches({ node: root, prefix: '', below: '' })].map(({ node, prefix }) => {
    const name = node.path === '' ? '/' : node.path.slice(node === root ? 0 : node.path.lastIndexOf('/') + 1)
    const shown = markdownCode(node.type === 'directory' && node.path !== '' ? `${name}/` : name)
    return `${'  '.repeat(prefix.length / 4)}- ${formatBytes(node.bytes)} ${shown}`
  })
  const count = `${formatCount(root.files)} ${root.files === 1 ? 'file' : 'files'}`
  return `### ${formatBytes(root.bytes)} in ${count}\n\n${markdownCode(subject)}\n\n${items.join('\n')}\n`
}

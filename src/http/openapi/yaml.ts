/** The description as readable YAML: whatever fits on one line is on one line. */
import { Document, isMap, isPair, isScalar, isSeq, type Node, visit } from 'yaml'
import type { OpenApiDocument } from './share.ts'

const LINE_WIDTH = 220
/** Calls, components and examples are never put on one line, however short they are. */
const OPEN_LEVELS = 3
/** Strings that every parser reads without quotes inside braces. */
const PLAIN = /^[\w$][\w ./;()’=<>-]*$/

export function openApiYaml(description: OpenApiDocument): string {
  const document = new Document(description, { aliasDuplicateObjects: false })
  visit(document, {
    Collection: (_, collection, path) => {
      const depth = path.filter((one) => isMap(one) || isSeq(one)).length
      collection.flow = depth >= OPEN_LEVELS && fits(collection, path) && !isListedReference(collection, path)
      if (!collection.flow) return undefined
      visit(collection, { Scalar: (_key, scalar) => quote(scalar) })
      return visit.SKIP
    },
  })
  return document.toString({
    indent: 1,
    indentSeq: false,
    lineWidth: LINE_WIDTH,
    flowCollectionPadding: false,
  })
}

/** `- $ref: …` needs no braces. */
function isListedReference(collection: Node, path: readonly unknown[]): boolean {
  return isSeq(path.at(-1)) && isMap(collection) && collection.items.length === 1 && collection.has('$ref')
}

function quote(scalar: { value: unknown; type?: string }): void {
  if (typeof scalar.value === 'string' && !PLAIN.test(scalar.value)) scalar.type = 'QUOTE_DOUBLE'
}

function fits(node: Node, path: readonly unknown[]): boolean {
  const indent = path.filter((one) => isMap(one)).length * 2
  const parent = path.at(-1)
  const key = isPair(parent) && isScalar(parent.key) ? `${String(parent.key.value)}: ` : '- '
  return indent + key.length + JSON.stringify(node).length < LINE_WIDTH
}

/**
 * Checks that no function of the product takes more than four positional parameters: values that belong together should be
 * an object. Functions passed directly to a library, and types that describe one, may take what it dictates.
 */
import ts from 'typescript'

const MAX_PARAMETERS = 4

/** One sentence for each function of a file that takes too many. */
export function findLongParameterLists(file: string, text: string): readonly string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const faults: string[] = []
  const visit = (node: ts.Node): void => {
    if (isOwnFunction(node) && node.parameters.length > MAX_PARAMETERS) {
      const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1
      faults.push(
        `${file}:${line} takes ${node.parameters.length} parameters: pass what belongs together as an object`,
      )
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return faults
}

function isOwnFunction(node: ts.Node): node is ts.FunctionLikeDeclaration {
  if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return false
  return !ts.isCallExpression(node.parent)
}

/** Moves responses and parameters that several calls have in common to the components of the description. */
import type { App } from '../backend.ts'

export type OpenApiDocument = ReturnType<App['getOpenAPI31Document']>

type Operation = NonNullable<NonNullable<OpenApiDocument['paths']>[string]['get']>
type Parameter = NonNullable<Operation['parameters']>[number]
type Response = NonNullable<Operation['responses']>[string]

/** One use of a response or a parameter. */
type Use<Value> = {
  /** The component's name, unless a more frequent variant takes it. */
  readonly name: string
  readonly operation: string
  readonly value: Value
  readonly replace: (reference: { $ref: string }) => void
}

/** Changes the document in place. If there are several variants, the most frequent one gets the plain name. */
export function shareComponents(document: OpenApiDocument, operations: readonly Operation[]): void {
  const parameters = share('parameters', operations.flatMap(parameterUses))
  const responses = share('responses', operations.flatMap(responseUses))
  document.components = { ...document.components, parameters, responses }
}

function parameterUses({ operationId, parameters = [] }: Operation): Use<Parameter>[] {
  return parameters.flatMap((value, at) => {
    if (!('name' in value)) return []
    return {
      name: capitalized(value.name.replace(/[^A-Za-z0-9]/g, '')),
      operation: capitalized(operationId ?? ''),
      value,
      replace: (reference) => {
        parameters[at] = reference
      },
    }
  })
}

function responseUses({ operationId, responses = {} }: Operation): Use<Response>[] {
  return Object.entries(responses).map(([status, value]) => ({
    name: status,
    operation: capitalized(operationId ?? ''),
    value,
    replace: (reference) => {
      responses[status] = reference
    },
  }))
}

function share<Value>(kind: 'parameters' | 'responses', uses: readonly Use<Value>[]): Record<string, Value> {
  const components: Record<string, Value> = {}
  const variants = Map.groupBy(uses, ({ value }) => JSON.stringify(value))
  const shared = [...variants.values()].filter((same) => same.length > 1).sort((a, b) => b.length - a.length)
  for (const same of shared) {
    const [first] = same
    if (first === undefined) continue
    const name = first.name in components ? `${first.operation}${first.name}` : first.name
    components[name] = first.value
    for (const { replace } of same) replace({ $ref: `#/components/${kind}/${name}` })
  }
  return Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function capitalized(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}

/** The arguments of a tool as the query of its endpoint, which checks their values. */
import { Problem } from '../problem.ts'
import type { InputSchema } from './tools.ts'

/** How long a tool waits for an analysis, as the gate does. */
const WAIT_SECONDS = '55'

/**
 * @returns the arguments that the endpoint knows, in the order of the schema
 * @throws Problem `invalid_parameter` for an unknown argument, or one whose value is of another type
 */
export function queryOf(
  { properties }: InputSchema,
  given: Readonly<Record<string, unknown>>,
): URLSearchParams {
  for (const name of Object.keys(given)) if (!Object.hasOwn(properties, name)) throw unknownArgument(name)
  const query = new URLSearchParams()
  for (const name of Object.keys(properties)) {
    const value = given[name]
    if (value === undefined || name === 'cursor' || name === 'offset') continue
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, textOf(name, one))
  }
  if (Object.hasOwn(properties, 'wait') && !query.has('wait')) query.set('wait', WAIT_SECONDS)
  return query
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  throw invalidArgument(name, 'must be a string, a number or a list of them')
}

function unknownArgument(name: string): Problem {
  return new Problem('invalid_parameter', `unknown parameter ${JSON.stringify(name)}`, { parameter: name })
}

export function invalidArgument(name: string, why: string): Problem {
  return new Problem('invalid_parameter', `${name} ${why}`, { parameter: name })
}

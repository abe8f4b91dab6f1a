/** Parameters of the API as flags: `maxSize` is `--max-size`. */
import type { ConditionName, PolicyRuleName } from '../src/gate/rules.ts'
import type { Api, Parameter } from './api.ts'
import type { Command } from './commands.ts'

/** Set by this program; `source` by `--attached`, since `--source` says where images are. */
const OWN = new Set(['format', 'columns', 'wait', 'source'])

export function flagOf(parameter: string): string {
  return `--${parameter.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** The parameters that are flags of a command, each once. */
export function flagParameters(api: Api, { endpoints, operands, kind }: Command): readonly Parameter[] {
  const positional = new Set(operands.flatMap(({ parameter, isOptional }) => (isOptional ? [] : [parameter])))
  // Given as `--inside`.
  if (kind === 'diff') for (const name of ['path', 'pathBase64']) positional.add(name)
  const found = new Map<string, Parameter>()
  for (const endpoint of endpoints)
    for (const parameter of api[endpoint] ?? [])
      if (!isOwn(parameter) && !positional.has(parameter.name) && !found.has(parameter.name))
        found.set(parameter.name, parameter)
  return [...found.values()]
}

function isOwn(parameter: Parameter): boolean {
  // The terminal decides whether text has colours; the colours of pictures are a flag.
  return OWN.has(parameter.name) || (parameter.name === 'color' && isSwitch(parameter))
}

/** Given as `1` or not at all. */
export function isSwitch({ values }: Parameter): boolean {
  return values?.length === 2 && values[0] === '0' && values[1] === '1'
}

/** The placeholder of a value in the help. */
export function valueName({ name, isNumber, example = '' }: Parameter): string {
  if (/image$|^baseline$/i.test(name)) return 'IMAGE'
  if (name === 'path') return 'PATH'
  if (/^(glob|deny|denyShown|ignore|tag|historyTag)$/.test(name)) return 'GLOB'
  if (/platform$/i.test(name)) return 'PLATFORM'
  if (/bytes$/i.test(name) && isNumber) return 'BYTES'
  if (/^\d.*B$/.test(example)) return 'SIZE'
  if (example.endsWith('%')) return 'PERCENT'
  return isNumber || /^\d+$/.test(example) ? 'N' : 'VALUE'
}

/** The gate's rules in the help: the API's descriptions name fields of its JSON. */
const RULES = {
  maxCompressed: 'The compressed size, as a pull transfers it, is at most this',
  maxSize: 'The uncompressed size is at most this',
  maxLayerSize: 'The uncompressed size of the largest layer is at most this',
  maxWasted: 'Files that later layers remove or replace take at most this',
  maxWastedPercent: 'The same, in percent of the bytes of all files',
  maxDuplicated: 'Duplicate files waste at most this',
  maxLayers: 'There are at most this many layers',
  maxFiles: 'There are at most this many files',
  minEfficiency: "dive's efficiency score is at least this, 0 to 1",
  maxUserWastedPercent: "dive's wasted share of the bytes above the base is at most this",
  maxSavings: 'The advice could save at most this: a size, or a percentage of the files',
  maxSeverity: 'No advice is worse than this',
  deny: 'No path in any layer matches, even if a later layer removes it',
  denyShown: 'No path that a container sees matches',
  maxGrowth: 'The uncompressed size grew over --baseline by at most this: a size or percent',
  maxCompressedGrowth: 'The compressed size grew by at most this: a size or percent',
  maxGrowthOver: 'The compressed size grew over the last tags by at most this: 10%/30 over 30 of them',
  maxPull: 'An update from the baseline pulls at most this: a size or percent',
  historyTag: '--max-growth-over and --history look at these tags only',
  minWasteBytes: 'With less waste than this, rules about shares of waste hold',
} satisfies Record<PolicyRuleName, string> & Partial<Record<ConditionName, string>>

const RULE_HELP: ReadonlyMap<string, string> = new Map(Object.entries(RULES))

/** Other parameters in the help, where the API's descriptions are about HTTP. */
const HELP: ReadonlyMap<string, string> = new Map([
  ...RULE_HELP,
  ['path', 'The same as PATH after the image'],
  ['digest', 'The same as DIGEST after the image'],
  ['pathBase64', 'The path in base64, if its bytes are not UTF-8'],
  ['cursor', 'Go on after a page, with the cursor at the end of its JSON'],
  ['advice', 'sarif and gitlab list advice, too'],
])
const PAGE_SIZE = 'A page of this many items; without it the list is whole'

/** The description for help: the API's, with the values and the default. */
export function flagHelp(parameter: Parameter): string {
  const { description, values, default: usual, example, repeats } = parameter
  const isPageSize = description.startsWith('Items per page')
  const said = (isPageSize ? PAGE_SIZE : (HELP.get(parameter.name) ?? description))
    .replace(/`/g, '')
    .replace(/^1: (\w)/, (_, first: string) => first.toUpperCase())
    .replace(/^For text: 1 for a terminal\. For svg:/, 'What colours mean in the treemap:')
    .replace(/\bWith (\w+)=1\b/, (_, name: string) => `With ${flagOf(name)}`)
    .replace(/ Not with application\/x-ndjson\./, '')
    .replace(/\.$/, '')
  // Of the colours, those of text are the terminal's choice.
  const choices = values?.filter((value) => value !== '0' && value !== '1')
  const facts = [
    ...(choices === undefined || isSwitch(parameter) ? [] : [choices.join(', ')]),
    ...(usual === undefined || isSwitch(parameter) || isPageSize ? [] : [`default: ${usual}`]),
    ...(example === undefined || values !== undefined || usual !== undefined ? [] : [`example: ${example}`]),
    ...(repeats && !/repeated/.test(said) ? ['repeatable'] : []),
  ]
  return facts.length === 0 ? said : `${said} (${facts.join('; ')})`
}

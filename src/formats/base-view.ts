/** What an image stands on, as people read it, before it becomes text or Markdown. */
import type { Alternative, Base, BaseReport, BaseUpdate, BaseWarning } from '../base/base.ts'
import type { BaseMove } from '../base/move.ts'
import type { PackageChange } from '../diff/packages.ts'
import type { AutoBase } from '../gate/subject.ts'
import type { Evidence } from '../oci/base-names.ts'
import { counted, formatBytes, formatCount, formatDelta } from '../text/format.ts'
import type { Piece, PlainTable } from './table.ts'

export type BaseView = {
  readonly title: readonly Piece[]
  readonly headline: readonly Piece[]
  /** Base and own. */
  readonly parts: PlainTable
  readonly notes: readonly (readonly Piece[])[]
  /** Absent if none were asked for, or there are none. */
  readonly alternatives?: PlainTable
  readonly warnings: readonly (readonly Piece[])[]
}

const EVIDENCE: Readonly<Record<Evidence, string>> = {
  annotation: 'the annotation',
  label: 'the label',
  provenance: 'the provenance',
  candidate: 'the candidate',
  known: 'an analysis of this service (known)',
  history: 'the times in its history',
}

const MAX_PACKAGES = 10

export function viewBase(report: BaseReport): BaseView {
  const { image, alternatives, warnings } = report
  return {
    title: [{ name: image.reference }, ` (${image.platform})`],
    headline: headlineOf(report),
    parts: partsOf(report),
    notes: notesOf(report),
    ...(alternatives === undefined || alternatives.length === 0
      ? {}
      : { alternatives: alternativesTable(alternatives) }),
    warnings: warnings.map(viewWarning),
  }
}

/** ``The base image does not count: `python:3.13-slim`, named by its label`` */
export function excludedBase({ reference, evidence }: AutoBase): readonly Piece[] {
  return ['The base image does not count: ', { name: reference }, `, named by the ${evidence.join(' and ')}`]
}

/** What of a change is the base's. @param isPullKnown whether compressed sizes are known of both; otherwise none is told */
export function movedBase(
  { from, to, baseDelta, ownDelta }: BaseMove,
  isPullKnown: boolean,
): readonly Piece[] {
  const what =
    from === to
      ? ['The base image ', { name: to }, ' moved']
      : ['The base image changed from ', { name: from }, ' to ', { name: to }]
  if (!isPullKnown) return [...what, '.']
  return [
    ...what,
    `: it accounts for ${formatDelta(baseDelta)} of the compressed size, your own layers for ${formatDelta(ownDelta)}.`,
  ]
}

/** What a page says of an image's base. */
export type StandsOn = {
  /** A sentence without its full stop. */
  readonly sentence: readonly Piece[]
  /** How many of the image's layers are the base's; 0 if none was found. */
  readonly layers: number
  /** To look at. */
  readonly reference?: string
}

/** @param isPullKnown whether compressed sizes are known; otherwise none is told */
export function standsOn(report: BaseReport, isPullKnown: boolean): StandsOn {
  const { base, update, warnings } = report
  if (base === undefined) {
    const unread = warnings.find(({ problem }) => problem !== undefined)
    if (unread !== undefined) return { sentence: ['Base image unknown: ', ...viewWarning(unread)], layers: 0 }
  }
  const layers = base?.layers ?? 0
  const { reference } = base ?? {}
  return {
    // The size of an image without a base is on the page already.
    sentence:
      isPullKnown && base !== undefined ? headlineOf(report) : withoutSizes(reference, layers, update),
    layers,
    ...(reference === undefined ? {} : { reference }),
  }
}

function withoutSizes(
  reference: string | undefined,
  layers: number,
  update: BaseUpdate | undefined,
): readonly Piece[] {
  if (layers === 0) return ['No base image found']
  if (reference === undefined) return [`On a base of ${counted(layers, 'layer')}, by a guess`]
  return ['On ', { name: reference }, ` (${[counted(layers, 'layer'), ...stateOf(update)].join(', ')})`]
}

/** ``On `python:3.13-slim` (29.8 MB, current); yours: 56.1 MB`` */
export function headlineOf({
  base,
  own,
  update,
}: Pick<BaseReport, 'base' | 'own' | 'update'>): readonly Piece[] {
  const mine = formatBytes(own.compressedBytes)
  if (base === undefined) return [`No base image found: all ${mine} count as its own`]
  const size = formatBytes(base.compressedBytes)
  if (base.reference === undefined) return [`On a base of ${size}, by a guess; yours: ${mine}`]
  return ['On ', { name: base.reference }, ` (${[size, ...stateOf(update)].join(', ')}); yours: ${mine}`]
}

function stateOf(update: BaseUpdate | undefined): readonly string[] {
  switch (update?.state) {
    case 'current':
      return ['current']
    case 'behind':
      return ['behind its tag']
    case 'unknown':
      return ['its tag cannot be read']
    case undefined:
      return []
  }
}

function partsOf({ base, own }: BaseReport): PlainTable {
  const parts = [...(base === undefined ? [] : [{ what: 'Base', ...base }]), { what: 'Own', ...own }]
  const hasFiles = own.uncompressedBytes !== undefined
  const hasPackages = own.packages !== undefined
  return {
    columns: [
      { title: '', align: 'left' },
      { title: 'Layers', align: 'right' },
      { title: 'Size', align: 'right' },
      ...(hasFiles ? [{ title: 'Uncompressed', align: 'right' } as const] : []),
      ...(hasPackages ? [{ title: 'Packages', align: 'right' } as const] : []),
    ],
    rows: parts.map(({ what, layers, compressedBytes, uncompressedBytes, packages }) => ({
      cells: [
        [what],
        [formatCount(layers)],
        [formatBytes(compressedBytes)],
        ...(hasFiles ? [[uncompressedBytes === undefined ? '' : formatBytes(uncompressedBytes)]] : []),
        ...(hasPackages ? [[packages === undefined ? '' : formatCount(packages)]] : []),
      ],
    })),
  }
}

function notesOf({ base, update }: BaseReport): readonly (readonly Piece[])[] {
  return [
    ...(base === undefined ? [] : [[evidenceSentence(base)]]),
    ...(update === undefined ? [] : updateNotes(update)),
  ]
}

function evidenceSentence({ evidence }: Base): string {
  const says = evidence.map((one) => EVIDENCE[one]).join(' and ')
  return evidence.includes('history')
    ? `This is a guess by ${says}: its build paused after a CMD or ENTRYPOINT.`
    : `Its layers are the beginning of this image's; named by ${says}.`
}

function updateNotes(update: BaseUpdate): readonly (readonly Piece[])[] {
  const { reference, state, pull, sizeDelta = 0, packages, problem } = update
  if (state === 'unknown')
    return [[{ name: reference }, ' cannot be read now: ', { name: problem?.message ?? 'unknown' }]]
  if (pull === undefined) return []
  const layers = `${pull.layers} ${pull.layers === 1 ? 'layer' : 'layers'}`
  const pulls = `An update of the base pulls ${formatBytes(pull.bytes)} in ${layers} (${formatDelta(sizeDelta)}).`
  return [[pulls], ...(packages === undefined ? [] : [packageNote(packages)])]
}

function packageNote({ added, removed, changed }: NonNullable<BaseUpdate['packages']>): readonly Piece[] {
  const counts = `${formatCount(added.length)} packages added, ${formatCount(removed.length)} removed, ${formatCount(changed.length)} changed`
  const shown = [...changed, ...added, ...removed].slice(0, MAX_PACKAGES)
  return [counts, ...shown.flatMap((change, i) => [i === 0 ? ': ' : ', ', { name: versionsOf(change) }])]
}

function versionsOf({ name, from, to }: PackageChange): string {
  if (from === undefined) return `+${name} ${to ?? ''}`.trim()
  return to === undefined ? `-${name} ${from}` : `${name} ${from} → ${to}`
}

function alternativesTable(alternatives: readonly Alternative[]): PlainTable {
  const hasPackages = alternatives.some(({ packages }) => packages !== undefined)
  return {
    columns: [
      { title: 'Alternative', align: 'left' },
      { title: 'Size', align: 'right' },
      { title: 'Change', align: 'right' },
      ...(hasPackages
        ? ([
            { title: 'Packages', align: 'right' },
            { title: 'Lacks', align: 'left', cut: 'end' },
          ] as const)
        : []),
    ],
    rows: alternatives.map(({ reference, compressedBytes, delta, packages, missing = [] }) => ({
      ...(delta < 0 ? { sign: '-' as const } : {}),
      cells: [
        [{ name: reference }],
        [formatBytes(compressedBytes)],
        [formatDelta(delta)],
        ...(hasPackages
          ? [[packages === undefined ? '' : formatCount(packages)], [{ name: missing.join(' ') }]]
          : []),
      ],
    })),
  }
}

function viewWarning({ code, evidence, reference, problem }: BaseWarning): readonly Piece[] {
  const by = evidence === undefined ? 'a name' : EVIDENCE[evidence]
  const name = { name: reference ?? '' }
  switch (code) {
    case 'baseDoesNotMatch':
      return [name, `, named by ${by}, does not match: its layers are not the beginning of this image's.`]
    case 'baseUnreadable':
      // What is no reference is any text.
      if (problem?.code === 'invalid_reference') return [`The base named by ${by} is not a valid reference.`]
      return [name, `, named by ${by}, cannot be read: `, { name: problem?.message ?? '' }]
    case 'alternativesIncomplete':
      if (problem === undefined) return ['There are more alternatives than were read.']
      return reference === undefined
        ? ['The alternatives cannot be listed: ', { name: problem.message }]
        : [name, ' cannot be read: ', { name: problem.message }]
  }
}

/** Why Lamina and snyk-docker-plugin differ, and who is right. Each was looked into once. */
import type { Difference } from './differences.ts'

/** A Go program: what the peer knows, with the modules that have functions in it, or what it does not. */
export type Program =
  | { readonly isKnown: true; readonly modules: ReadonlySet<string> }
  | { readonly isKnown: false; readonly isElf: boolean; readonly segments: number }

type Reason = {
  readonly right: 'Lamina' | 'both'
  readonly why: string
  fits(difference: Difference, program: Program | undefined): boolean
}

const isOurs = ({ lamina, peer }: Difference) => lamina.length > 0 && peer.length === 0
const isTheirs = ({ lamina, peer }: Difference) => lamina.length === 0 && peer.length > 0

/** The first that fits is the reason. */
export const REASONS: readonly Reason[] = [
  {
    right: 'Lamina',
    why: 'the peer leaves out files with an extension, and folders such as /etc, /sbin and /var',
    fits: (difference, program) =>
      difference.type === 'golang' &&
      isOurs(difference) &&
      program?.isKnown === false &&
      /\.[^/.]+$|^(boot|dev|etc|home|media|mnt|proc|root|run|sbin|sys|tmp|var)/.test(difference.file),
  },
  {
    right: 'Lamina',
    why: 'the peer reads ELF files only; PE and Mach-O files have the same build info',
    fits: (difference, program) => isOurs(difference) && program?.isKnown === false && !program.isElf,
  },
  {
    right: 'both',
    why: 'the program has no segments (it was made for a test): the peer looks for build info where one puts it in memory, Lamina in the bytes',
    fits: (difference, program) => isOurs(difference) && program?.isKnown === false && program.segments === 0,
  },
  {
    right: 'Lamina',
    why: 'the peer never states the version of the main module',
    fits: ({ type, lamina, peer }) =>
      type === 'golang' && lamina.length === 1 && lamina[0] !== '-' && peer.join() === '-',
  },
  {
    right: 'both',
    why: 'the build info names no main module (built without one): the peer makes a name from the path of the main package',
    fits: (difference) => isTheirs(difference) && difference.name.startsWith('go-distribution@'),
  },
  {
    right: 'Lamina',
    why: 'a local folder replaces the module: the peer gives the path of the folder as its name, or leaves it out',
    fits: (difference, program) =>
      difference.type === 'golang' &&
      (isTheirs(difference)
        ? /^\.{0,2}\//.test(difference.name)
        : isOurs(difference) && program?.isKnown === true && difference.lamina.join() === '-'),
  },
  {
    right: 'both',
    why: 'the program has no function of this module: the peer leaves it out, Lamina lists what `go version -m` lists',
    fits: (difference, program) =>
      isOurs(difference) && program?.isKnown === true && !program.modules.has(difference.name),
  },
  {
    right: 'Lamina',
    why: 'no pom.properties: Lamina goes by the name and the manifest; the peer computes a SHA-1, to ask Maven Central about',
    fits: (difference) => difference.type === 'maven' && isOurs(difference) && !difference.name.includes(':'),
  },
  {
    right: 'Lamina',
    why: 'the peer opens *.jar and *.war only, and *.jar inside them',
    fits: (difference) => isOurs(difference) && /\.(ear|hpi|jpi)(\/|$)/.test(difference.file),
  },
  {
    right: 'Lamina',
    why: 'pom.properties of another form: the peer wants all three of `key=value`; Java also reads `:` and blanks, and the folder has a missing groupId',
    fits: (difference) => isOurs(difference) && /^odd\/[a-d]\.jar$/.test(difference.file),
  },
  {
    right: 'Lamina',
    why: 'the peer cannot open it: a script before the zip, or an end record inside its comment. Java runs both',
    fits: (difference) => isOurs(difference) && /^odd\/(script|commented)-1\.jar/.test(difference.file),
  },
]

/**
 * The user that a container runs as: the image's `Config.User`, looked up in its `etc/passwd` and `etc/group`. Sources:
 * OCI image-spec `conversion.md` ("config.User"), passwd(5), group(5).
 */
import { Problem } from '../problem.ts'

/** Text of the image's files; empty if it has no such file. */
export type UserDatabases = { readonly passwd: string; readonly group: string }

export type ContainerUser = {
  readonly uid: number
  readonly gid: number
  /** Ascending; only for a user given by name, without a group. */
  readonly additionalGids: readonly number[]
  /** From the user's line in `etc/passwd`. */
  readonly home?: string | undefined
}

/** The last one that Linux can have: 2³² − 1 means "no change" to chown and setuid. */
const LAST_ID = 2 ** 32 - 2
const DIGITS = /^\d+$/

type PasswdLine = {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}
type GroupLine = { readonly name: string; readonly gid: number; readonly members: readonly string[] }

/** Whether {@link resolveUser} looks into `etc/passwd` or `etc/group` for this user. */
export function needsDatabases(user: string | undefined): boolean {
  const [name = '', group] = split(user ?? '')
  return !(DIGITS.test(name) && group !== undefined && DIGITS.test(group))
}

/**
 * @param user `name`, `uid`, `name:group`, `uid:gid`, …; root by default
 * @throws Problem `invalid_image`, permanent: a name that the image's files do not have, a number out of range
 */
export function resolveUser(user: string | undefined, databases: UserDatabases): ContainerUser {
  const [name = '', group] = split(user ?? '')
  const named = name === '' ? numbered('0', databases) : lookUp(name, databases)
  if (group === undefined) return named
  return { ...named, gid: groupId(group, databases), additionalGids: [] }
}

/** An empty group counts as absent. */
function split(user: string): [name: string, group: string | undefined] {
  const colon = user.indexOf(':')
  return colon < 0 ? [user, undefined] : [user.slice(0, colon), user.slice(colon + 1) || undefined]
}

function lookUp(name: string, databases: UserDatabases): ContainerUser {
  if (DIGITS.test(name)) return numbered(name, databases)
  const line = find(passwdLines(databases.passwd), (one) => one.name === name)
  if (line === undefined) throw unknown(`the user "${name}"`, 'etc/passwd')
  const gids = new Set<number>()
  for (const { gid, members } of groupLines(databases.group)) if (members.includes(name)) gids.add(gid)
  return { uid: line.uid, gid: line.gid, additionalGids: [...gids].sort((a, b) => a - b), home: line.home }
}

/** A number needs no line; its group comes from its line, if there is one, else it is 0. */
function numbered(digits: string, { passwd }: UserDatabases): ContainerUser {
  const uid = toId(digits)
  if (uid === undefined) throw outOfRange('user', digits)
  const line = find(passwdLines(passwd), (one) => one.uid === uid)
  return { uid, gid: line?.gid ?? 0, additionalGids: [], home: line?.home }
}

function groupId(group: string, databases: UserDatabases): number {
  if (DIGITS.test(group)) {
    const gid = toId(group)
    if (gid === undefined) throw outOfRange('group', group)
    return gid
  }
  const line = find(groupLines(databases.group), (one) => one.name === group)
  if (line === undefined) throw unknown(`the group "${group}"`, 'etc/group')
  return line.gid
}

function toId(digits: string | undefined): number | undefined {
  if (digits === undefined || !DIGITS.test(digits)) return undefined
  const id = Number(digits)
  return id <= LAST_ID ? id : undefined
}

/** The first match counts, as in getpwnam(3). Malformed lines are skipped. */
function find<Line>(lines: Iterable<Line>, matches: (line: Line) => boolean): Line | undefined {
  for (const line of lines) if (matches(line)) return line
  return undefined
}

function* passwdLines(text: string): Generator<PasswdLine> {
  for (const [name, , uid, gid, , home] of records(text)) {
    const ids = { uid: toId(uid), gid: toId(gid) }
    if (ids.uid === undefined || ids.gid === undefined) continue
    yield { name, uid: ids.uid, gid: ids.gid, home: home ?? '' }
  }
}

function* groupLines(text: string): Generator<GroupLine> {
  for (const [name, , digits, members = ''] of records(text)) {
    const gid = toId(digits)
    if (gid !== undefined) yield { name, gid, members: members.split(',').filter(Boolean) }
  }
}

/** Comments and lines without a name are no records. */
function* records(text: string): Generator<[name: string, ...fields: string[]]> {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    const [name = '', ...fields] = text.slice(start, end).split(':')
    start = end + 1
    if (name !== '' && !name.startsWith('#') && !name.startsWith('+') && !name.startsWith('-')) {
      yield [name, ...fields]
    }
  }
}

function unknown(what: string, file: string): Problem {
  return new Problem('invalid_image', `the config runs as ${what}, which the image's ${file} does not have`, {
    permanent: true,
  })
}

function outOfRange(what: string, digits: string): Problem {
  return new Problem('invalid_image', `the config's ${what} ${digits} is larger than ${LAST_ID}`, {
    permanent: true,
  })
}

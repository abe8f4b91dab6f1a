/**
 * RubyGems' `specifications/NAME-VERSION.gemspec`: Ruby code, of which only the lines that RubyGems itself generates are read.
 */
import type { ByteString } from '../../text/bytes.ts'
import { type DatabaseContent, type Finding, nameText } from './found.ts'
import { linesOf } from './lines.ts'

/**
 * `# stub: NAME VERSION PLATFORM REQUIRE_PATHS`, the second line since RubyGems 2.2, which RubyGems reads instead of the code.
 */
const STUB = '# stub: '
const NAME = /^ {2}s\.name = "([^"]+)"/
const VERSION = /^ {2}s\.version = (?:Gem::Version\.new\()?"([^"]+)"/
const PLATFORM = /^ {2}s\.platform = "([^"]+)"/

export async function* readGemSpecification(content: DatabaseContent): AsyncGenerator<Finding> {
  let name: ByteString | undefined
  let version: ByteString | undefined
  let platform: ByteString | undefined
  for await (const lines of linesOf(content)) {
    for (const line of lines) {
      if (line.startsWith(STUB)) {
        const [stubName = '', stubVersion = '', stubPlatform = ''] = line.slice(STUB.length).split(' ', 3)
        if (stubName !== '' && stubVersion !== '') {
          yield found(stubName, stubVersion, stubPlatform)
          return
        }
      }
      name ??= NAME.exec(line)?.[1]
      version ??= VERSION.exec(line)?.[1]
      platform ??= PLATFORM.exec(line)?.[1]
    }
  }
  if (name !== undefined && version !== undefined) yield found(name, version, platform ?? '')
}

/** The platform is given for gems with native code. */
function found(name: ByteString, version: ByteString, platform: ByteString): Finding {
  return {
    kind: 'package',
    found: {
      type: 'gem',
      name: nameText(name),
      version: nameText(version),
      ...(platform === '' || platform === 'ruby' ? {} : { architecture: nameText(platform) }),
    },
  }
}

/** What a release says about itself, from its own facts: its notes, how to install it, and the formula for Homebrew. */

export type ReleaseFacts = {
  readonly version: string
  /** `https://github.com/owner/name` */
  readonly home: string
  readonly description: string
  readonly license: string
  /** The oldest Node that runs it: `22.19.0`. */
  readonly node: string
  /** The npm package. */
  readonly archive: string
  /** Its SHA-256 in hex. */
  readonly digest: string
}

/**
 * @param changelog with a section for each version
 * @throws Error if this version has none
 */
export function releaseNotes(changelog: string, version: string): string {
  const section = changelog
    .split(/^## /m)
    .find((part) => new RegExp(`^${version.replaceAll('.', '\\.')}(?: |\\n)`).test(part))
  const notes = section?.slice(section.indexOf('\n')).trim()
  if (!notes) throw new Error(`CHANGELOG.md has no section ## ${version}: cut one from Unreleased`)
  return `${notes}\n`
}

function downloadOf({ home, version, archive }: ReleaseFacts): string {
  return `${home}/releases/download/v${version}/${archive}`
}

/** The image's name: registries take lower case only. */
function imageOf({ home }: ReleaseFacts): string {
  return `ghcr.io${new URL(home).pathname.toLowerCase()}`
}

export function installPage(facts: ReleaseFacts): string {
  const { version, home, node, archive, digest } = facts
  const [major = '0'] = version.split('.')
  const download = downloadOf(facts)
  const action = new URL(home).pathname.slice(1)
  return `# Install Lamina ${version}

The command needs Node ${node} or newer and nothing else.

## The command

\`\`\`sh
npm install --global ${download}
lamina report nginx:1.27
\`\`\`

Without installing it: download the archive, check it, and name it with \`./\`:

\`\`\`sh
curl -fsSLO ${download}
echo '${digest}  ${archive}' | sha256sum --check
npx --yes ./${archive} report nginx:1.27
\`\`\`

With Homebrew, from the formula of this release:

\`\`\`sh
curl -fsSLO ${home}/releases/download/v${version}/lamina.rb
brew install --formula ./lamina.rb
\`\`\`

## The service

\`\`\`sh
docker run --rm --publish 127.0.0.1:8080:8080 ${imageOf(facts)}:${version}
\`\`\`

## In CI

\`uses: ${action}@v${major}\` is the GitHub Action; \`image-gate.yml\` is the component for GitLab. \`SHA256SUMS\` has the digest of each file.
The image's provenance and bill of materials: \`docker buildx imagetools inspect ${imageOf(facts)}:${version} --format '{{ json .Provenance }}'\`
and \`{{ json .SBOM }}\`.
`
}

export function homebrewFormula(facts: ReleaseFacts): string {
  const { home, description, license, digest } = facts
  return `class Lamina < Formula
  desc ${JSON.stringify(description)}
  homepage ${JSON.stringify(home)}
  url ${JSON.stringify(downloadOf(facts))}
  sha256 ${JSON.stringify(digest)}
  license ${JSON.stringify(license)}

  depends_on "node"

  def install
    system "npm", "install", *std_npm_args
    bin.install_symlink libexec.glob("bin/*")
    generate_completions_from_executable(bin/"lamina", "completion")
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/lamina --version")
  end
end
`
}

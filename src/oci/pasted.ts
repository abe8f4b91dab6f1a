/** What people paste instead of a reference: a command, the web page of an image. */

/** Longer texts are ignored. */
const MAX_LENGTH = 2_048

/** `docker pull --platform linux/arm64 nginx:1.27`. A text can be read in one way only, so that the time is linear. */
const PULL =
  /^(?:\$ *)?(?:sudo +)?(?:docker|podman|nerdctl)(?: +image)? +pull +(?:--platform +[^\s-]\S* +|-\S+ +)*([^\s-]\S*)$/

/** The pages on which hosts show an image, by path. */
const PAGES: Readonly<Record<string, (path: string, query: URLSearchParams) => string | undefined>> = {
  'hub.docker.com': hubPage,
  'github.com': githubPage,
  'quay.io': (path, query) => {
    const [, name] = /^repository\/([^/]+\/[^/]+)$/.exec(path) ?? []
    return name === undefined ? undefined : withTag(`quay.io/${name}`, query.get('tag'))
  },
}

/** The reference in a pasted text; any other text, such as a URL that `docker pull` refuses, is returned unchanged. */
export function pastedReference(text: string): string {
  const trimmed = text.trim()
  if (trimmed.length > MAX_LENGTH) return trimmed
  const [, pulled] = PULL.exec(trimmed) ?? []
  if (pulled !== undefined) return pulled
  if (!/^https?:\/\//i.test(trimmed) || !URL.canParse(trimmed)) return trimmed
  const { host, pathname, searchParams } = new URL(trimmed)
  const path = pathname.replace(/^\/+|(?<!\/)\/+$/g, '')
  return PAGES[host.replace(/^www\./, '')]?.(path, searchParams) ?? trimmed
}

/** `_/nginx`, `r/grafana/grafana/tags`, `layers/library/nginx/1.27/images/sha256-…` */
function hubPage(path: string, query: URLSearchParams): string | undefined {
  const [, official] = /^_\/([^/]+)(?:\/tags)?$/.exec(path) ?? []
  if (official !== undefined) return withTag(official, query.get('name'))
  const [, name] = /^r\/([^/]+\/[^/]+)(?:\/tags)?$/.exec(path) ?? []
  if (name !== undefined) return withTag(name, query.get('name'))
  const [, layered, tag] = /^layers\/([^/]+\/[^/]+)\/([^/]+)(?:\/|$)/.exec(path) ?? []
  return layered === undefined ? undefined : withTag(layered, tag)
}

/** `OWNER/REPOSITORY/pkgs/container/NAME`, `orgs/OWNER/packages/container/package/NAME` */
function githubPage(path: string, query: URLSearchParams): string | undefined {
  const [, owner, name] =
    /^([^/]+)\/[^/]+\/pkgs\/container\/([^/]+)(?:\/|$)/.exec(path) ??
    /^(?:orgs|users)\/([^/]+)\/packages\/container\/(?:package\/)?([^/]+)(?:\/|$)/.exec(path) ??
    []
  if (owner === undefined || name === undefined) return undefined
  return withTag(`ghcr.io/${owner}/${name.replaceAll(/%2f/gi, '/')}`.toLowerCase(), query.get('tag'))
}

function withTag(name: string, tag: string | null | undefined): string {
  return tag ? `${name}:${tag}` : name
}

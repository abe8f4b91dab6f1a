import { describe, expect, it } from 'vitest'
import { jsonBytes } from '../../test/support/images.ts'
import { type HistoryStep, type ImageConfig, parseConfig } from './config.ts'
import { rebuildDockerfile } from './dockerfile.ts'
import type { ImageManifest } from './manifest.ts'

const digest = (i: number) => `sha256:${String(i).repeat(64)}`

function manifestOf(sizes: readonly number[]): ImageManifest {
  const layers = sizes.map((size, i) => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
    digest: digest(i),
    size,
  }))
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest(9), size: 2 }
  return { kind: 'image', mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers }
}

function configOf(history: readonly HistoryStep[], os = 'linux'): ImageConfig {
  return { ...parseConfig(jsonBytes({ os })), history }
}

/** The lines that steps without a layer give below `FROM scratch`. */
function rebuilt(steps: readonly string[], os = 'linux'): readonly string[] {
  const history = steps.map((createdBy) => ({ createdBy, emptyLayer: true }))
  const lines = rebuildDockerfile(manifestOf([]), configOf(history, os)).trimEnd().split('\n')
  return lines.slice(lines.indexOf('FROM scratch') + 1)
}

it('each step that made a layer is preceded by the size of that layer', () => {
  const text = rebuildDockerfile(
    manifestOf([100, 2000]),
    configOf([
      { createdBy: 'ADD base.tar / # buildkit', emptyLayer: false },
      { createdBy: 'ENV A=1', emptyLayer: true },
      { createdBy: 'RUN /bin/sh -c apt-get update # buildkit', emptyLayer: false },
      { createdBy: 'CMD ["bash"]', emptyLayer: true },
    ]),
  )
  expect(text).toBe(
    [
      '# Rebuilt from the history of the image, which names neither its base nor the files it copied.',
      'FROM scratch',
      '',
      `# layer 0: 100 bytes compressed, ${digest(0)}`,
      'ADD base.tar /',
      'ENV A=1',
      '',
      `# layer 1: 2000 bytes compressed, ${digest(1)}`,
      'RUN apt-get update',
      'CMD ["bash"]',
      '',
    ].join('\n'),
  )
})

describe('a history that does not say which step made which layer', () => {
  it('is marked as such, and the layers are listed', () => {
    const text = rebuildDockerfile(
      manifestOf([5, 6]),
      configOf([{ createdBy: 'COPY a b', emptyLayer: false }]),
    )
    expect(text.split('\n')).toEqual([
      expect.stringContaining('Rebuilt'),
      '# It does not say which step made which layer.',
      `# layer 0: 5 bytes compressed, ${digest(0)}`,
      `# layer 1: 6 bytes compressed, ${digest(1)}`,
      'FROM scratch',
      'COPY a b',
      '',
    ])
  })

  it('may be empty', () => {
    expect(rebuildDockerfile(manifestOf([]), configOf([]))).toMatch(/FROM scratch\n$/)
    expect(rebuildDockerfile(manifestOf([7]), configOf([]))).toContain('# layer 0: 7 bytes')
  })
})

describe('BuildKit', () => {
  it.each([
    [
      'RUN /bin/sh -c apt-get update && apt-get install -y curl # buildkit',
      ['RUN apt-get update && apt-get install -y curl'],
    ],
    ['RUN /bin/busybox --install -s /bin # buildkit', ['RUN ["/bin/busybox", "--install", "-s", "/bin"]']],
    [
      'RUN |2 VERSION=1.2 NAME=two words /bin/sh -c make $VERSION # buildkit',
      ['# build arguments: VERSION=1.2 NAME=two words', 'RUN make $VERSION'],
    ],
    ['RUN /bin/bash -o pipefail -c a | b # buildkit', ['RUN ["/bin/bash", "-o", "pipefail", "-c", "a | b"]']],
    ['RUN /bin/sh -c one\ntwo\n # buildkit', ['RUN <<EOF', 'one', 'two', 'EOF']],
    ['RUN /bin/sh -c one\nEOF\ntwo # buildkit', ['RUN <<EOF1', 'one', 'EOF', 'two', 'EOF1']],
    ['RUN /bin/sh -c cat <<END > /f\nx\nEND # buildkit', ['RUN cat <<END > /f', 'x', 'END']],
    ['COPY --chown=1:1 src /dst # buildkit', ['COPY --chown=1:1 src /dst']],
    [
      'COPY <<EOF /etc/motd # buildkit',
      [expect.stringMatching(/^# .*heredoc/), 'COPY <<EOF /etc/motd', 'EOF'],
    ],
    ['ADD https://example.org/x /x # buildkit', ['ADD https://example.org/x /x']],
    ['WORKDIR /srv/app', ['WORKDIR /srv/app']],
    ['ARG TARGETARCH TARGETVARIANT', ['ARG TARGETARCH TARGETVARIANT']],
    ['EXPOSE map[443/tcp:{} 80/tcp:{}]', ['EXPOSE 443/tcp 80/tcp']],
    ['EXPOSE [80/tcp]', ['EXPOSE 80/tcp']],
    ['VOLUME [/data /var/lib]', ['VOLUME ["/data", "/var/lib"]']],
    ['ENTRYPOINT ["python3" "-m" "http.server"]', ['ENTRYPOINT ["python3", "-m", "http.server"]']],
    ['CMD ["/bin/sh" "-c" "npm start -- \\"x\\""]', ['CMD npm start -- "x"']],
    ['CMD ["/bin/sh" "-c" "[ -e x ]"]', ['CMD ["/bin/sh", "-c", "[ -e x ]"]']],
    ['ENTRYPOINT []', ['ENTRYPOINT []']],
    [
      String.raw`HEALTHCHECK &{["CMD-SHELL" "curl -f http://localhost/ || exit 1"] "30s" "3s" "0s" "5s" '\x03'}`,
      [
        'HEALTHCHECK --interval=30s --timeout=3s --start-interval=5s --retries=3 CMD curl -f http://localhost/ || exit 1',
      ],
    ],
    [String.raw`HEALTHCHECK &{["CMD" "/check"] "0s" "0s" "0s" '\x00'}`, ['HEALTHCHECK CMD ["/check"]']],
    [String.raw`HEALTHCHECK &{["NONE"] "0s" "0s" "0s" "0s" '\x00'}`, ['HEALTHCHECK NONE']],
    [
      'LABEL org.opencontainers.image.title=corpus app org.opencontainers.image.version=1.0.0',
      ['LABEL org.opencontainers.image.title="corpus app" org.opencontainers.image.version=1.0.0'],
    ],
    ['ENV PATH=/usr/bin EMPTY= Q="x" $Y', ['ENV PATH=/usr/bin EMPTY="" Q="\\"x\\" \\$Y"']],
    ['STOPSIGNAL SIGQUIT', ['STOPSIGNAL SIGQUIT']],
    ['USER 1000:1000', ['USER 1000:1000']],
    ['ONBUILD RUN make', ['ONBUILD RUN make']],
  ])('%s', (step, lines) => {
    expect(rebuilt([step])).toEqual(lines)
  })
})

describe('the classic builder', () => {
  it.each([
    ['/bin/sh -c apt-get update', ['RUN apt-get update']],
    ['|1 A=b /bin/sh -c echo $A', ['# build arguments: A=b', 'RUN echo $A']],
    ['/bin/sh -c #(nop) ADD file:abc in / ', ['ADD file:abc /']],
    ['/bin/sh -c #(nop) COPY multi:def in ./ ', ['COPY multi:def ./']],
    ['/bin/sh -c #(nop)  CMD ["bash"]', ['CMD ["bash"]']],
    ['/bin/sh -c #(nop)  ENTRYPOINT &{["/init"]}', ['ENTRYPOINT ["/init"]']],
    ['/bin/sh -c #(nop)  ENV A=two words', ['ENV A="two words"']],
    ['/bin/sh -c #(nop)  EXPOSE 80', ['EXPOSE 80']],
    ['/bin/sh -c #(nop)  STOPSIGNAL [SIGTERM]', ['STOPSIGNAL SIGTERM']],
    ['/bin/sh -c #(nop)  MAINTAINER Some One', ['MAINTAINER Some One']],
    ['/bin/sh -c #(nop) WORKDIR /app', ['WORKDIR /app']],
    ['|1 A=b /bin/sh -c #(nop)  USER me', ['USER me']],
    ['/bin/sh -c #(nop)  VOLUME ["/data"]', ['VOLUME ["/data"]']],
  ])('%s', (step, lines) => {
    expect(rebuilt([step])).toEqual(lines)
  })

  it('uses the Windows shell on Windows', () => {
    expect(
      rebuilt(['cmd /S /C mkdir x', 'cmd /S /C #(nop)  CMD ["cmd" "/S" "/C" "dir"]'], 'windows'),
    ).toEqual(['RUN mkdir x', 'CMD dir'])
  })
})

it('SHELL changes how later steps are shown', () => {
  expect(
    rebuilt([
      'SHELL [/bin/bash -o pipefail -c]',
      'RUN /bin/bash -o pipefail -c a | b # buildkit',
      'RUN /bin/sh -c c # buildkit',
      'CMD ["/bin/bash" "-o" "pipefail" "-c" "d"]',
    ]),
  ).toEqual([
    'SHELL ["/bin/bash", "-o", "pipefail", "-c"]',
    'RUN a | b',
    'RUN ["/bin/sh", "-c", "c"]',
    'CMD d',
  ])
})

describe('other tools', () => {
  it.each([
    ['bazel build //x', ['# bazel build //x']],
    ["# debian.sh --arch 'amd64' out/ 'bookworm'", ["# debian.sh --arch 'amd64' out/ 'bookworm'"]],
    ['', ['# a step without a word']],
    ['two\nlines', ['# two', '# lines']],
    ['RUN true', ['RUN true']],
  ])('%j', (step, lines) => {
    expect(rebuilt([step])).toEqual(lines)
  })

  it('send no control characters to a terminal', () => {
    expect(rebuilt(['RUN /bin/sh -c echo \u001b[31m\u0007 # buildkit'])).toEqual([
      'RUN echo \ufffd[31m\ufffd',
    ])
  })
})

it('hostile steps take little time and stay on their own lines', () => {
  const pieces = [' ', '\n', '" ', '] ', "] '", ' in ', ' -o x', '<<A ', '\\', '|1 ', '/sh ', 'A=', '&{[']
  for (const piece of pieces)
    for (const start of [
      'RUN ',
      'COPY ',
      'CMD [',
      'HEALTHCHECK &{[',
      'ENV ',
      '|9 ',
      '/bin/sh -c ',
      '/bin/sh -c #(nop) ',
    ])
      rebuilt([`${start}${piece.repeat(60_000 / piece.length)}x`])
  expect(rebuilt(['x'.repeat(100_000)])).toEqual(['# a step of 100000 characters'])
})

it('no line is a CI command', () => {
  const lines = rebuilt(['RUN /bin/sh -c echo one\n  ::error::two\n##[error]three', '::warning::four'])
  expect(lines.join('\n')).not.toMatch(/^\s*(?:::|##\[)/m)
  expect(lines).toContain('  \\::error::two')
  expect(lines).toContain('# #[error]three')
})

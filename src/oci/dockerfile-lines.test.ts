import { describe, expect, test } from 'vitest'
import { dockerfileLines } from './dockerfile-lines.ts'

function lines(dockerfile: string, steps: readonly string[]) {
  return dockerfileLines(
    dockerfile,
    steps.map((createdBy) => ({ createdBy, emptyLayer: false })),
  )
}

test("BuildKit's history, with comments, continued lines and the base image's steps", () => {
  const dockerfile = `# syntax=docker/dockerfile:1
FROM debian AS build
RUN make

FROM node:22
# a comment
ENV A=1
RUN apt-get update \\
    # inside
 && apt-get install -y curl
COPY --chown=app app1/ /srv/app/
RUN <<END
FROM nothing
END
CMD ["node"]
`
  expect(
    lines(dockerfile, [
      'ADD base.tar / # buildkit',
      'ENV NODE=22',
      'ENV A=1',
      'RUN /bin/sh -c apt-get update  && apt-get install -y curl # buildkit',
      'COPY --chown=app app1/ /srv/app/ # buildkit',
      'CMD ["node"]',
    ]),
  ).toEqual([5, 5, 7, 8, 11, 15])
})

test('a stage that starts from another includes its steps', () => {
  const dockerfile = 'FROM alpine AS base\nRUN one\nFROM other\nRUN no\nFROM base\nRUN two\n'
  expect(lines(dockerfile, ['ADD alpine.tar /', 'RUN /bin/sh -c one', 'RUN /bin/sh -c two'])).toEqual([
    1, 2, 6,
  ])
})

test("matches the classic builder's checksums, build arguments, and substituted variables", () => {
  const dockerfile = 'FROM alpine\nARG V\nCOPY . /srv/app\nRUN make $V\nWORKDIR /opt/$' + '{V}/x\n'
  expect(
    lines(dockerfile, [
      '/bin/sh -c #(nop) COPY dir:0a1b2c3d in /srv/app ',
      '|1 V=2 /bin/sh -c make $V',
      'WORKDIR /opt/2/x',
    ]),
  ).toEqual([3, 4, 5])
})

test('equal steps are matched from the last to the first', () => {
  expect(
    lines('FROM a\nRUN x\nRUN y\nRUN x\n', ['RUN /bin/sh -c x', 'RUN /bin/sh -c y', 'RUN /bin/sh -c x']),
  ).toEqual([2, 3, 4])
})

describe('gives no line rather than a wrong one', () => {
  test("another image's Dockerfile", () => {
    expect(lines('FROM a\nRUN x\n', ['RUN /bin/sh -c y'])).toEqual([undefined])
  })

  test.each(['', '\\', 'RUN', '<<', 'FROM', 'RUN <<A', '# escape=`', 'FROM x AS x\nFROM x AS x\n'])(
    '%j',
    (text) => {
      expect(lines(text, ['RUN /bin/sh -c y'])).toEqual([undefined])
    },
  )
})

test('hostile input takes bounded time', () => {
  const text = `FROM a\n${'RUN a$A b\n'.repeat(20_000)}`
  const steps = Array.from({ length: 20_000 }, () => `RUN /bin/sh -c ${'a'.repeat(300)}`)
  expect(lines(text, steps)).toHaveLength(20_000)
  expect(lines(`RUN ${'<<A '.repeat(60_000)}`, ['x'])).toHaveLength(1)
})

/** Each blocked the thread for minutes when the time was quadratic in the text's length. */
test.each([
  ['white space', `RUN${'\t'.repeat(250_000)}x\u2028y`],
  ['variables that never end', `RUN ${'${'.repeat(120_000)}`],
  ['variables in variables', `RUN ${'${a{'.repeat(60_000)}`],
])('a line of nothing but %s is read in linear time', { timeout: 30_000 }, (_, line) => {
  const steps = Array.from({ length: 20 }, (_, i) => `RUN /bin/sh -c ${i}`)
  expect(lines(`FROM a\n${line}`, steps)).toHaveLength(20)
})

test('a variable whose default is another variable matches any text', () => {
  expect(lines(`FROM a\nRUN echo \${A:-\${B}}!`, ['RUN /bin/sh -c echo x! # buildkit'])).toEqual([2])
})

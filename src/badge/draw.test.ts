import { XmlDocument } from 'libxml2-wasm'
import { describe, expect, test } from 'vitest'
import { type Appearance, type Badge, STYLES } from './badge.ts'
import { drawBadge, endpointOf } from './draw.ts'

function badge(appearance: Appearance, label = 'image size'): Badge {
  return { label, message: '85.4 MB', color: 'ff69b4', isError: false, appearance }
}

/** Every text that a person sees or hears; a strict parser must accept the picture. */
function words(svg: string): readonly string[] {
  using document = XmlDocument.fromString(svg)
  const xpath = '//*[local-name()="title" or local-name()="text"]/text() | /*/@aria-label'
  return document.find(xpath).map((node) => node.content)
}

describe.each(STYLES)('%s', (style) => {
  test('says its label and its message and nothing else', () => {
    const said = words(drawBadge(badge({ style }))).map((word) => word.toLowerCase())
    expect(new Set(said)).toEqual(new Set(['image size', '85.4 mb', 'image size: 85.4 mb']))
  })

  test('a hostile label is text', () => {
    const label = '<b>&"x\'</text>\u202e\0'
    const said = words(drawBadge(badge({ style }, label))).map((word) => word.toLowerCase())
    expect(said).toContain('<b>&"x\'</text>\\u202e\\x00')
  })

  test('has the color that was chosen', () => {
    expect(drawBadge(badge({ style })).includes('ff69b4')).toBe(style !== 'social')
  })
})

test('each style is a different picture', () => {
  expect(new Set(STYLES.map((style) => drawBadge(badge({ style })))).size).toBe(5)
})

test('the logo is embedded as an image', () => {
  const logo = `data:image/svg+xml;base64,${Buffer.from('<svg/>').toString('base64')}`
  expect(drawBadge(badge({ logo }))).toContain(`href="${logo}"`)
  expect(endpointOf(badge({ logo }))).toHaveProperty('logoSvg', '<svg/>')
})

test("shields.io's endpoint has the documented keys and no others", () => {
  expect(endpointOf(badge({ style: 'flat-square', labelColor: 'grey' }, 'how <big>'))).toEqual({
    schemaVersion: 1,
    label: 'how <big>',
    message: '85.4 MB',
    color: 'ff69b4',
    labelColor: 'grey',
    style: 'flat-square',
  })
  expect(endpointOf({ ...badge({ logo: 'data:image/png;base64,AA==' }), isError: true })).toEqual({
    schemaVersion: 1,
    label: 'image size',
    message: '85.4 MB',
    color: 'ff69b4',
    isError: true,
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { XmlDocument, XsdValidator } from 'libxml2-wasm'
import { parse } from 'test-results-parser'
import { describe, expect, test } from 'vitest'
import { HOSTILE_NAMES, hostile, passing, rebuilt, verdict } from '../../test/support/verdicts.ts'
import { checkJunit } from './check-junit.ts'
import { visible } from './escape.ts'

/** What Jenkins' xUnit plugin accepts as JUnit: no other elements or attributes. */
const XSD = `<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:simpleType name="seconds"><xs:restriction base="xs:string"><xs:pattern value="[0-9]*(\\.[0-9]*)?"/></xs:restriction></xs:simpleType>
  <xs:attributeGroup name="counts">
    <xs:attribute name="tests" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="errors" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="time" type="seconds"/>
  </xs:attributeGroup>
  <xs:element name="testsuites">
    <xs:complexType>
      <xs:sequence><xs:element ref="testsuite" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
      <xs:attribute name="name" type="xs:string"/>
      <xs:attributeGroup ref="counts"/>
    </xs:complexType>
  </xs:element>
  <xs:element name="testsuite">
    <xs:complexType>
      <xs:choice minOccurs="0" maxOccurs="unbounded">
        <xs:element ref="properties"/>
        <xs:element ref="testcase"/>
        <xs:element name="system-out" type="xs:string"/>
        <xs:element name="system-err" type="xs:string"/>
      </xs:choice>
      <xs:attribute name="name" type="xs:string" use="required"/>
      <xs:attribute name="skipped" type="xs:nonNegativeInteger"/>
      <xs:attribute name="timestamp" type="xs:string"/>
      <xs:attribute name="hostname" type="xs:string"/>
      <xs:attribute name="id" type="xs:string"/>
      <xs:attribute name="package" type="xs:string"/>
      <xs:attributeGroup ref="counts"/>
    </xs:complexType>
  </xs:element>
  <xs:element name="properties">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="property" minOccurs="0" maxOccurs="unbounded">
          <xs:complexType>
            <xs:attribute name="name" type="xs:string" use="required"/>
            <xs:attribute name="value" type="xs:string" use="required"/>
          </xs:complexType>
        </xs:element>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
  <xs:complexType name="outcome" mixed="true">
    <xs:attribute name="type" type="xs:string"/>
    <xs:attribute name="message" type="xs:string"/>
  </xs:complexType>
  <xs:element name="testcase">
    <xs:complexType>
      <xs:choice minOccurs="0" maxOccurs="unbounded">
        <xs:element name="skipped" type="outcome"/>
        <xs:element name="error" type="outcome"/>
        <xs:element name="failure" type="outcome"/>
        <xs:element name="system-out" type="xs:string"/>
        <xs:element name="system-err" type="xs:string"/>
      </xs:choice>
      <xs:attribute name="name" type="xs:string" use="required"/>
      <xs:attribute name="classname" type="xs:string" use="required"/>
      <xs:attribute name="time" type="seconds"/>
    </xs:complexType>
  </xs:element>
</xs:schema>`

/** Parses strictly, validates against the schema, and returns the values at an XPath. */
function read(xml: string, xpath: string): readonly string[] {
  using schema = XmlDocument.fromString(XSD)
  using validator = XsdValidator.fromDoc(schema)
  using document = XmlDocument.fromString(xml)
  validator.validate(document)
  return document.find(xpath).map((node) => node.content)
}

test('one test case per rule, with a failure if the rule is broken', () => {
  const xml = checkJunit({ verdict })
  expect(read(xml, '//testcase/@name')).toEqual([
    'maxSize',
    'maxUserWastedPercent',
    'minEfficiency',
    'deny **/.git/**',
  ])
  expect(new Set(read(xml, '//testcase/@classname'))).toEqual(new Set(['lamina.docker_io.library.nginx']))
  expect(read(xml, '//testcase[failure]/@name')).toEqual(['maxSize', 'deny **/.git/**'])
  expect(read(xml, '//failure')[0]).toBe(
    'The uncompressed size is 240 MB, over the limit of 1.00 kB.\nlayer 1 (180 MB)\nlayer 0 (60.0 MB)',
  )
  expect(read(xml, '//testsuite/@tests | //testsuites/@tests')).toEqual(['4', '4'])
  expect(read(xml, '//testsuite/@failures | //testsuites/@failures')).toEqual(['2', '2'])
})

test('a passing check has no failure', () => {
  expect(read(checkJunit({ verdict: passing }), '//failure')).toEqual([])
})

test('a test case keeps its name after a rebuild', () => {
  const names = '//testcase/@name | //testcase/@classname'
  expect(read(checkJunit({ verdict: rebuilt }), names)).toEqual(read(checkJunit({ verdict }), names))
})

test('hostile names stay names, and the text has only characters that XML allows', () => {
  const xml = checkJunit({ verdict: hostile })
  expect(read(xml, '//testcase/@name')).toEqual(HOSTILE_NAMES.map((name) => `deny ${visible(name)}`))
  expect(read(xml, '//failure/@message')).toEqual(
    HOSTILE_NAMES.map((name) => `3 paths match ${visible(name)}.`),
  )
  expect(xml.split('\n').map(visible)).toEqual(xml.split('\n'))
})

describe('a parser of JUnit results', () => {
  test.each([
    ['plain', verdict, 4, 2],
    ['hostile', hostile, HOSTILE_NAMES.length, HOSTILE_NAMES.length],
    ['passing', passing, 2, 0],
  ])('reads the %s one', async (_, given, total, failed) => {
    const folder = await mkdtemp(join(tmpdir(), 'lamina-junit-'))
    try {
      await writeFile(join(folder, 'junit.xml'), checkJunit({ verdict: given }))
      const result = parse({ type: 'junit', files: [join(folder, 'junit.xml')] })
      expect({ total: result.total, failed: result.failed, errors: result.errors }).toEqual({
        total,
        failed,
        errors: 0,
      })
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

test('no line of a failure is a CI command, and its text is unchanged', () => {
  const [rule] = verdict.rules
  if (rule === undefined) throw new Error('the verdict has no rules')
  const evidence = ['::error::x', '  ::warning::x', '##[error]x'].map((path) => ({ path }))
  const xml = checkJunit({ verdict: { ...verdict, rules: [{ ...rule, evidence }] } })
  expect(xml).not.toMatch(/^\s*(?:::|##\[)/m)
  expect(read(xml, '//failure')[0]?.split('\n').slice(1)).toEqual([
    '::error::x',
    '  ::warning::x',
    '##[error]x',
  ])
})

/** Licences as bills of materials state them: an SPDX expression if all its identifiers are known, else the author's words. */

/** Those that nearly all packages use; the whole list has 700. */
const KNOWN = new Set(
  `0BSD AFL-2.1 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-1.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause BSD-4-Clause
  BSL-1.0 BlueOak-1.0.0 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-4.0 CC0-1.0 EPL-2.0 GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later
  GPL-3.0-only GPL-3.0-or-later ISC LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only
  LGPL-3.0-or-later MIT MIT-0 MPL-1.1 MPL-2.0 OFL-1.1 OpenSSL PHP-3.01 PSF-2.0 Python-2.0 Python-2.0.1 Ruby Unicode-3.0
  Unicode-DFS-2016 Unlicense Vim WTFPL X11 ZPL-2.1 Zlib bzip2-1.0.6 curl`.split(/\s+/),
)
/** An identifier, or several with operators between them. */
const EXPRESSION = /^\(?[\w.+-]+\)?(?: (?:AND|OR) \(?[\w.+-]+\)?)*$/

export function isExpression(license: string): boolean {
  if (!EXPRESSION.test(license) || !isBalanced(license)) return false
  return license
    .replace(/[()]/g, '')
    .split(/ (?:AND|OR) /)
    .every((id) => KNOWN.has(id))
}

/** One level of parentheses at most. */
function isBalanced(text: string): boolean {
  return /^(?:[^()]|\([^()]*\))*$/.test(text)
}

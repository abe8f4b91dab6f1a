/** The form that asks for an image, or for two to compare. */
import { html } from 'hono/html'
import { visible } from '../formats/escape.ts'
import type { Html } from './page.ts'

export type FormValues = {
  readonly image?: string | undefined
  readonly baseline?: string | undefined
  readonly platform?: string | undefined
}

/** One image, or two to compare: works without a script, since `/` decides which it is. */
export function askForm(values: FormValues = {}): Html {
  return html`<form class="ask" action="/" role="search" aria-label="Images">
<div class="field"><label for="image">Image</label>
<input id="image" name="image" value="${visible(values.image ?? '')}" placeholder="nginx:1.27" required ${PLAIN}></div>
<div class="field"><label for="baseline">Compare with <span class="hint">an earlier image, optional</span></label>
<input id="baseline" name="baseline" value="${visible(values.baseline ?? '')}" placeholder="nginx:1.26" ${PLAIN}></div>
<button>Look inside</button>
<details class="more"><summary>Another platform</summary>
<div class="field"><label for="platform">Platform <span class="hint">os/arch or os/arch/variant</span></label>
<input id="platform" name="platform" value="${visible(values.platform ?? '')}" placeholder="linux/amd64" list="platforms" ${PLAIN}>
<datalist id="platforms">${PLATFORMS.map((platform) => html`<option value="${platform}"></option>`)}</datalist></div>
</details>
</form>`
}

const PLATFORMS = [
  'linux/amd64',
  'linux/arm64',
  'linux/arm/v7',
  'linux/ppc64le',
  'linux/s390x',
  'linux/riscv64',
]

/** Attributes of fields for names rather than prose. */
export const PLAIN = html`autocomplete="off" autocapitalize="none" spellcheck="false"`

/** What a reader can take away: a configurable badge, and a line for the gate, filled in with the image's figures of today. */
import { html } from 'hono/html'
import { STYLES } from '../badge/badge.ts'
import { METRIC_NAMES, METRICS } from '../badge/metric.ts'
import { visible } from '../formats/escape.ts'
import type { Report } from '../image/report.ts'
import { isPullKnown } from '../image/stored.ts'
import { fold } from './fold.ts'
import { PLAIN } from './form.ts'
import { parametersOf, reportLink } from './image-links.ts'
import { copyable, type Html, link } from './page.ts'

type Adopted = Pick<Report, 'image' | 'size' | 'waste'>

/** @param origin `scheme://host[:port]` of this service */
export function adopted(report: Adopted, origin: string): Html {
  const parameters = parametersOf(report.image)
  const badge = link('/badge/size.svg', parameters)
  const content = html`<div class="pair">
<div><h3>A badge for the README</h3>
${badgeBuilder(report, origin)}
<p class="badge"><img src="${badge}" alt="Size of the image" data-badge></p>
${copyable('badge-markdown', 'the badge', `[![size](${origin}${badge})](${origin}${reportLink(parameters)})`)}</div>
<div><h3>A gate for CI</h3>
<p>It fails when the next build is more than a tenth larger${isPullKnown(report.image, report.size.stored) && ' to pull'}, or wastes more than this one. <a href="/docs">The documentation</a> has more rules.</p>
${copyable('gate-line', 'the gate', gateLine(report, origin))}</div>
</div>`
  return fold({ id: 'adopt', title: 'Badge and gate', note: 'for a README and for CI', content })
}

/** Needs scripts, and is hidden without them. */
function badgeBuilder(report: Adopted, origin: string): Html {
  const { image, platform } = parametersOf(report.image)
  const { largest, maxWastedPercent } = limitsOf(report)
  return html`<form class="find scripted" data-builder="${origin}" aria-label="Badge">
<input type="hidden" name="image" value="${visible(image)}">${platform !== undefined && html`<input type="hidden" name="platform" value="${visible(platform)}">`}
<label>Shows <select name="metric">${METRIC_NAMES.map((metric) => html`<option value="${metric}">${METRICS[metric].title}</option>`)}</select></label>
<label data-for="delta" hidden>Compared with <input name="baseline" required disabled placeholder="an earlier image" ${PLAIN}></label>
<label data-for="check" hidden>${largest.title}, at most <input name="${largest.rule}" disabled value="${largest.limit}" size="8" ${PLAIN}></label>
<label data-for="check" hidden>Wasted percent, at most <input name="maxWastedPercent" disabled value="${maxWastedPercent}" size="4" ${PLAIN}></label>
<label>Style <select name="style">${STYLES.map((style) => html`<option value="${style === 'flat' ? '' : style}">${style}</option>`)}</select></label>
<label>Label <input name="label" maxlength="60" placeholder="default" autocomplete="off" size="10"></label>
<label>Colour <input name="color" maxlength="30" placeholder="default" size="9" ${PLAIN}></label>
</form>`
}

/** Rules that this image passes: a tenth more to pull, or in all if that is unknown, and as much waste as now. */
function limitsOf({ image, size, waste }: Adopted) {
  const largest = isPullKnown(image, size.stored)
    ? ({ rule: 'maxCompressed', title: 'Compressed', bytes: size.compressedBytes } as const)
    : ({ rule: 'maxSize', title: 'Uncompressed', bytes: size.uncompressedBytes ?? size.fileBytes } as const)
  const megabytes = Math.max(1, Math.ceil((largest.bytes * 1.1) / 1e6))
  const wasted = size.fileBytes > 0 ? Math.ceil((100 * waste.bytes) / size.fileBytes) : 0
  return { largest: { ...largest, limit: `${megabytes}MB` }, maxWastedPercent: String(wasted) }
}

/** A shell command as in the documentation, with limits that the image passes today. */
export function gateLine(report: Adopted, origin: string): string {
  const { image: reference, platform } = parametersOf(report.image)
  const { largest, maxWastedPercent } = limitsOf(report)
  return [
    'curl -sS --fail-with-body --retry 20 --retry-max-time 1800',
    `-G ${quoted(`${origin}/v1/check`)} --data-urlencode ${quoted(`image=${reference}`)}`,
    ...(platform === undefined ? [] : [`-d ${quoted(`platform=${platform}`)}`]),
    `-d ${largest.rule}=${largest.limit} -d maxWastedPercent=${maxWastedPercent} -d format=text`,
  ].join(' ')
}

/** A word of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

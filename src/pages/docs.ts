/**
 * The API's documentation, where each call can be tried: Swagger UI. It works without inline styles, asks no other host, and
 * fits a phone; Scalar, the alternative we tried, does none of these.
 */
import { html } from 'hono/html'
import { type Html, TOP } from './page.ts'

/** Swagger UI's style sheet contains its pictures. */
export const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function docsPage(): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>API · Lamina</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/swagger-ui.css">
<link rel="stylesheet" href="/assets/frame.css">
<link rel="stylesheet" href="/assets/docs.css">
<script defer src="/assets/swagger-ui-bundle.js"></script>
<script type="module" src="/assets/docs.js"></script>
</head>
<body>
<a class="skip" href="#viewer">Skip to the content</a>
${TOP}
<div id="viewer" tabindex="-1"><noscript><p>The viewer needs scripts; <a href="/openapi.yaml">openapi.yaml</a> has the same content.</p></noscript></div>
</body>
</html>
`
}

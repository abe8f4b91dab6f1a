/** An S3 on loopback for the acceptance: prints its settings as shell assignments, and serves until it is ended. */
import { startS3 } from '../test/support/s3.ts'

const { settings, stop } = await startS3()
console.log(
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(' '),
)
process.once('SIGTERM', () => {
  void stop().then(() => process.exit(0))
})

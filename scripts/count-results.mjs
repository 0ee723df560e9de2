// Adds up vitest's JSON reports, names what failed, and prints the closing line. A file that could not even be loaded
// counts as failed.
import { readFileSync } from "node:fs";

const total = { passed: 0, failed: 0, skipped: 0 };
for (const path of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(path, "utf8"));
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += report.numPendingTests + report.numTodoTests;
  for (const suite of report.testResults) {
    const broken =
      suite.status === "failed" && suite.assertionResults.every((test) => test.status !== "failed");
    if (broken) total.failed += 1;
    for (const test of suite.assertionResults.filter(({ status }) => status === "failed")) {
      console.log(
        `failed: ${suite.name}: ${test.fullName}\n${test.failureMessages.join("\n").slice(0, 2000)}`,
      );
    }
  }
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

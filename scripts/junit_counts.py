#!/usr/bin/env python3
"""Prints "PASSED FAILED SKIPPED" of a JUnit report; fails when there is no report or no test."""
import sys
import xml.etree.ElementTree as tree

suites = tree.parse(sys.argv[1]).getroot().iter("testsuite")
total = bad = skipped = 0
for suite in suites:
    total += int(suite.get("tests", 0))
    bad += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    skipped += int(suite.get("skipped", 0))
if total == 0:
    sys.exit("no test was run")
print(total - bad - skipped, bad, skipped)

import Control
import Testing

@testable import Benchmarks

@Suite struct ReportTests {
  private static var report: Report {
    Report(
      name: "test", machine: "a machine", columns: [.init("what", "what"), .init("of\npayload", "ratio")],
      rows: [
        [.text("met"), .number(1.2204, decimals: 2, goal: 1.22)],
        [.text("missed"), .number(1.226, decimals: 2, goal: 1.22)], [.text("none"), .none],
      ])
  }

  @Test func figuresSayWhetherTheyMeetTheirGoal() {
    #expect(Self.report.missed == 1)
    #expect(
      Self.report.text == """
        a machine

        what              of
                     payload
        --------------------
        met     1.22 <= 1.22
        missed  1.23 >  1.22
        none               -

        MISSED: 1 of 2 goals, the figures with ">".

        """)
  }

  @Test func machinesReadTheSame() {
    #expect(
      Self.report.json.text
        == #"{"benchmark":"test","machine":"a machine","missed":1,"rows":[{"what":"met","ratio":1.220,"ratio_goal":1.220},"#
        + #"{"what":"missed","ratio":1.226,"ratio_goal":1.220},{"what":"none","ratio":null}],"notes":[]}"#)
  }

  @Test(arguments: [(1.005, 0, "1"), (0.05, 1, "0.1"), (-1.25, 1, "-1.3"), (12, 3, "12.000"), (.infinity, 1, "0.0")])
  func decimalsAreFixed(_ value: Double, _ decimals: Int, _ text: String) {
    #expect(Decimal.text(value, decimals) == text)
  }
}

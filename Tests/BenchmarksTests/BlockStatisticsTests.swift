import Testing

@testable import Benchmarks

@Suite struct BlockStatisticsTests {
  @Test func sectorsAndFlushesAreRead() {
    let text =
      "    3202       35    55512      130     2222     2113   295948     1167        0      932     2089        3"
      + "        0  8388616        0     1405      791\n"
    let statistics = BlockStatistics(text)
    #expect(statistics?.bytesWritten == Int64(151_525_376))
    #expect(statistics?.flushes == 1_405)
  }

  @Test func anOldKernelCountsNoFlushes() {
    let statistics = BlockStatistics("1 2 3 4 5 6 7 8 9 10 11")
    #expect(statistics?.bytesWritten == Int64(3_584))
    #expect(statistics != nil && statistics?.flushes == nil)
  }

  @Test(arguments: ["", "1 2 3", "1 2 3 4 5 6 seven 8 9 10 11"])
  func whatIsNoStatisticsIsNone(_ text: String) {
    #expect(BlockStatistics(text) == nil)
  }

  @Test func commitsOfTheJournalAreRead() {
    let text = """
      12 transactions (11 requested), each up to 5461 blocks
      average:
        0ms waiting for transaction
        66us average transaction commit time
        4 handles per transaction
        6 blocks per transaction
        8 logged blocks per transaction
      """
    #expect(JournalStatistics(text)?.transactions == 12)
    #expect(JournalStatistics(text)?.bytesWritten == Int64(393_216))
    #expect(JournalStatistics("average:") == nil)
  }
}

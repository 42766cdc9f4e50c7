import Testing

@testable import Configuration

@Suite("Lists of a camera's controls")
struct CameraControlListTests {
  private func pairs(_ text: String) -> [String] {
    CameraControlList(text).settings.map { "\($0.name)|\($0.value)" }
  }

  @Test("the order is kept, spaces around do not count, and a value may have several words")
  func read() {
    #expect(
      pairs("power_line_frequency=1, auto_exposure = Manual Mode ,gain=-3") == [
        "power_line_frequency|1", "auto_exposure|Manual Mode", "gain|-3",
      ])
    #expect(pairs("").isEmpty && pairs("  ").isEmpty && CameraControlList(" ").problem == nil)
    #expect(pairs("a=b=c") == ["a|b=c"])
  }

  @Test(
    "what is no list of NAME=VALUE says so",
    arguments: ["gain", "gain=", "=1", "gain=1,", "Gain=1", "gain level=1", ",", "gain=1,gain=2", "gän=1"])
  func wrong(_ text: String) {
    #expect(CameraControlList(text).problem != nil)
  }

  @Test("more than anybody sets is refused")
  func many() {
    func list(_ count: Int) -> CameraControlList {
      CameraControlList((0..<count).map { "c\($0)=1" }.joined(separator: ","))
    }
    #expect(list(32).problem == nil && list(33).problem != nil)
  }
}

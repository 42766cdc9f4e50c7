import Testing

@testable import Benchmarks

@Suite struct CallgrindProfileTests {
  private static let text = """
    # callgrind format
    version: 1
    events: Ir
    positions: line

    fl=(1) a.c
    fn=(1) main
    0 10
    cfn=(2) sha256_block
    calls=3 0
    0 300
    +2 5

    fn=(2)
    0 290
    cfn=(3) memcpy
    calls=1 0
    * 10

    fn=(3)
    0 10
    totals: 315
    """

  @Test func costsAreThoseOfTheFunctionsThemselves() throws {
    let profile = try #require(CallgrindProfile(Self.text))
    #expect(profile.total == 315)
    #expect(profile.functions == ["main": 15, "sha256_block": 290, "memcpy": 10])
  }

  @Test func theBaselineIsTakenOff() throws {
    let profile = try #require(CallgrindProfile(Self.text))
    let difference = profile.subtracting(profile)
    #expect(difference.total == 0 && difference.functions.values.allSatisfy { $0 == 0 })
  }

  @Test(arguments: ["", "events: Dr\ntotals: 1", "events: Ir\nfn=(1) main\n0 1"])
  func whatIsNoCountOfInstructionsIsNone(_ text: String) {
    #expect(CallgrindProfile(text) == nil)
  }

  @Test func functionsOfSwiftBelongToTheRest() {
    #expect(SealCost.hash.includes("CCryptoBoringSSL_sha256_block_data_order_avx"))
    #expect(SealCost.cipher.includes("CCryptoBoringSSL_chacha20_poly1305_seal_avx2"))
    #expect(SealCost.signature.includes("x25519_ge_scalarmult_base"))
    #expect(!SealCost.hash.includes("$s6Crypto6SHA256V6updateyySW_SiF"))
  }
}

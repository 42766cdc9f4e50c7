import Foundation

/// A NAL unit as x264 wrote it, through ffmpeg, and how long its start code was.
struct RecordedUnit {
  var startCode: Int
  var bytes: [UInt8]

  init(_ startCode: Int, _ base64: String) {
    self.startCode = startCode
    bytes = Data(base64Encoded: base64).map { [UInt8]($0) } ?? []
  }

  var type: UInt8 { (bytes.first ?? 0) & 0x1F }

  /// Behind a start code, of the recorded length unless another is given.
  func framed(_ length: Int? = nil) -> [UInt8] {
    [UInt8](repeating: 0, count: (length ?? startCode) - 1) + [1] + bytes
  }
}

/// H.264 of libx264 (Debian 12: core 164), recorded with ffmpeg 5.1.
enum RecordedStreams {
  /// Four pictures of 64x48 in two slices each, the first and third a keyframe behind its parameter sets, each behind a
  /// delimiter; supplemental information before the first.
  ///
  ///     ffmpeg -f lavfi -i testsrc=size=64x48:rate=25 -frames:v 4 -pix_fmt yuv420p -c:v libx264 -x264-params
  ///       preset=ultrafast:threads=1:slices=2:keyint=2:min-keyint=1:bframes=0:scenecut=0:repeat-headers=1:aud=1:qp=44
  static let slices: [RecordedUnit] = [
    RecordedUnit(
      4, "CRA="),
    RecordedUnit(
      4, "Z2QACqyyCPYCIAAAAwAgAAAGQeJEyQ=="),
    RecordedUnit(
      4, "aOvASSyL"),
    RecordedUnit(
      3,
      "BgX//zXcRem95tlIt5Ys2CDZI+7veDI2NCAtIGNvcmUgMTY0IHIzMDk1IGJhZWU0MDAgLSBILjI2NC9NUEVHLTQgQVZDIGNv"
        + "ZGVjIC0gQ29weWxlZnQgMjAwMy0yMDIyIC0gaHR0cDovL3d3dy52aWRlb2xhbi5vcmcveDI2NC5odG1sIC0gb3B0aW9uczog"
        + "Y2FiYWM9MSByZWY9MyBkZWJsb2NrPTE6MDowIGFuYWx5c2U9MHgzOjB4MTEzIG1lPWhleCBzdWJtZT03IHBzeT0xIHBzeV9y"
        + "ZD0xLjAwOjAuMDAgbWl4ZWRfcmVmPTEgbWVfcmFuZ2U9MTYgY2hyb21hX21lPTEgdHJlbGxpcz0xIDh4OGRjdD0xIGNxbT0w"
        + "IGRlYWR6b25lPTIxLDExIGZhc3RfcHNraXA9MSBjaHJvbWFfcXBfb2Zmc2V0PS0yIHRocmVhZHM9MSBsb29rYWhlYWRfdGhy"
        + "ZWFkcz0xIHNsaWNlZF90aHJlYWRzPTAgc2xpY2VzPTIgbnI9MCBkZWNpbWF0ZT0xIGludGVybGFjZWQ9MCBibHVyYXlfY29t"
        + "cGF0PTAgY29uc3RyYWluZWRfaW50cmE9MCBiZnJhbWVzPTAgd2VpZ2h0cD0yIGtleWludD0yIGtleWludF9taW49MSBzY2Vu"
        + "ZWN1dD0wIGludHJhX3JlZnJlc2g9MCByYz1jcXAgbWJ0cmVlPTAgcXA9NDQgaXBfcmF0aW89MS40MCBhcT0wAIA="),
    RecordedUnit(
      3,
      "ZYiEP9HqLE+XBT+23nVennzpqQ86W66H0/WFEU1AQjcpf45Y5G34/oEXpf7D+DIg0Wux2i6K+tVTiuv2TgHE1nzeO11yGd/u"
        + "NPV/6AT7hEfBQh4SCUGr4mkGsLMwbeobmEZDP0wgzh55hXSwE0QrazlSX2pnQXjO0Uv23EnK2iIkMn2LWdMujwKGfs8="),
    RecordedUnit(
      3,
      "ZRIiEP/VRE+ziQb/7GZqI+DKqp7pk5BB7geMmvIffZEZMz/vFybQl+7JLOdsL977kQjvVLKCDdDhjf7GjP/gVHVdIXBcTYUV"
        + "EBCi+gErIgvmZ6IIi4J/BFA4i0oSMQ5epwV++yeheNoG6WHFX9zpSYSGRdZ73wKxwBNc/MsBsLlroCrPYzN6riMBbWYX6Q05"
        + "4mU6+4r7zseJXwPRN7K0rqM83pCANBhR3nezMwJYq1YWeZxSWhKzdzIuv/1Env48WsoWBw=="),
    RecordedUnit(
      4, "CTA="),
    RecordedUnit(
      3, "QZo7H35A"),
    RecordedUnit(
      3, "QRJo7H+vgA=="),
    RecordedUnit(
      4, "CRA="),
    RecordedUnit(
      4, "Z2QACqyyCPYCIAAAAwAgAAAGQeJEyQ=="),
    RecordedUnit(
      4, "aOvASSyL"),
    RecordedUnit(
      3,
      "ZYiCD//R6ixPlwU/tt51Xp586akPOluuh9P1hRFNQEI3KX+OWORt+P6BF6X+w/gyINFrsdouivrVU4rr9k4BxNZ83jtdchnf"
        + "7jT1f+gE+4RHwUIeEglBq+JpBrCzMG3qG5hGQz9MIM4eeYV0sBNEK2s5Ul9qZ0F4ztFL9txJytoiJDJ9i1nTLo8Chn7P"),
    RecordedUnit(
      3,
      "ZRIiCD/VQBSFQyv9/fyUZBlVU905pnNUxY7vTyx1javY7ueGFAx7DYAbhe6z52RC/rME18G6EUqu1sm/+jcgG/4sBiBYfNRf"
        + "YUUzTMx7KeV1HqTyANkVLgY/buCWIqnBwSlcEY993TQCk7Y4T/0MXDXHPAA+GpTo1jSTUTgbHB+HvVyEX82XfLeS7ez4dRh1"
        + "jnZ8W5OYGi5KIBgruywNNoxDPQ7LzrWXkFDC+iPbGBodCgkNQRtWxv/1Eme5t2sy5j0="),
    RecordedUnit(
      4, "CTA="),
    RecordedUnit(
      3, "QZo7H35A"),
    RecordedUnit(
      3, "QRJo7H+vgA=="),
  ]

  /// Four pictures of 64x48, the second of them shown a B picture (bframes=2:b-adapt=0:qp=48).
  static let reordered: [RecordedUnit] = [
    RecordedUnit(
      4, "Z2QACqzZRHsBEAAAAwAQAAADAyDxIllg"),
    RecordedUnit(
      4, "aOvgWSyL"),
    RecordedUnit(
      3,
      "ZYiEAP9xiINf6j8dpeAM149D1SN+Sfggqzinw6ltRjXxu8OiIaiHyc/cA02FraaTkHOvmpNKBlN72uqMuZivNR/IBDGSuw8p"
        + "Xtzx5PMnvAMkY9/GfiaJcvEh0+SRVFkBHYGIJdb87b7g+MgtAKMYkT66g4Px1cgwX9uYAOHAbIpo2mmUrVr0jGSSkVgm6awj"
        + "6xUW93b/NaUt/s8gdudp28SDFHXzc+uoM4Lnr3eqZB6LbFrHoOfIp2Z8sZG+fXKsMJifXXeWZRmvIUJWMHqQHXWktjyxiY+O"
        + "tDfuqWdut1gtNqGPUb2/+GMzTyXGjCYAzpWSZ67vqldmCkAtVdPh5/MujvoWGYE="),
    RecordedUnit(
      4, "QZojbH+a+O1HEZjGUA=="),
    RecordedUnit(
      4, "QZ5BeK/MbsE="),
    RecordedUnit(
      4, "AZ5iakn/uYA="),
  ]

  /// Sequence parameter sets and what ffprobe says of the streams that they are from.
  static let sequences: [(base64: String, width: Int, height: Int, profile: Int, level: Int, isProgressive: Bool)] = [
    (
      "Z2QAKKzZQHgCJ+XARAAAAwAEAAADAPA8YMZY", 1920, 1080, 100, 40, true
    ),
    (
      "Z2QAHqzZQKQv4iTARAAAAwAEAAADAPA8WLZY", 642, 362, 100, 30, true
    ),
    (
      "Z2QAFazZRE2AiAAAAwAIAAADAZD4oUyw", 64, 64, 100, 21, false
    ),
    (
      "Z0LAH9kAUAW7ARAAAAMAEAAAAwPA8YMkgA==", 1280, 720, 66, 31, true
    ),
  ]

  /// Of a stream in 4:4:4.
  static let sequenceOfFullChroma = "Z/QACpGbKI9gIgAAAwACAAADAHgeJEss"
}
